"""What a user's own test is told of a target that does not answer, cannot be looked at, or refuses everything."""

import contextlib
import sqlite3

import pytest

from payproof.errors import ConfigurationError, Reason
from payproof.session import open_session
from payproof.testing import InconclusiveError, Payproof
from tests.end_to_end import hostile
from tests.end_to_end.billing import billing, genuine, sources
from tests.end_to_end.command import SECRET, SECRET_ENV, target_file
from tests.end_to_end.hostile import Server, answer

EXPECTATIONS = ("accepted", "rejected", "applied", "nothing_changed", "no_payment_data")
BOTH = ("store", "log")


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    monkeypatch.setenv(SECRET_ENV, SECRET)


@contextlib.contextmanager
def acting(folder, server, answer_within=30, **file):
    """Open a server as the target of a test; what it does to a database is done when it answers."""
    contract = f"answer_within = {answer_within}\neffect_within = 0.2"
    with open_session(target_file(folder, server.url, contract=contract, **file), seed=1) as session:
        yield Payproof(session, "a test")


def unknown(expectation, *reasons):
    """Expect that one is neither met nor broken, by one of some reasons."""
    with pytest.raises(InconclusiveError) as caught:
        expectation()
    assert caught.value.reason in reasons, caught.value


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (hostile.never, Reason.TIMEOUT),
        (hostile.close_in_body, Reason.RESPONSE_UNREADABLE),
        (hostile.endless, Reason.RESPONSE_TOO_LARGE),
        (hostile.garbage, Reason.RESPONSE_UNREADABLE),
        (hostile.redirect_elsewhere, Reason.REDIRECT_ELSEWHERE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nothing_holds_without_an_answer(tmp_path, behave, reason):
    """Where a delivery gets no answer that can be read, no expectation holds and none is broken."""
    within = 3 if behave is hostile.never else 10
    with billing(tmp_path) as server, acting(tmp_path, server, within, sources=sources(), waive=()) as payproof:
        payproof.deliver("invoice.paid").accepted().applied()
        server._behave = behave
        payproof.deliver("invoice.paid")
        for name in EXPECTATIONS:
            unknown(getattr(payproof, name), reason)
        unknown(lambda: payproof.answer, reason)


def test_a_target_that_is_gone_after_a_delivery_is_broken(tmp_path):
    """Where nothing is answered any more after a delivery, that delivery has broken the target."""
    with billing(tmp_path) as server, acting(tmp_path, server, sources=sources(), waive=()) as payproof:
        payproof.deliver("invoice.paid").accepted()
        server._behave = hostile.close_at_once
        with pytest.raises(AssertionError, match="and then to nothing any more"):
            payproof.deliver("invoice.paid")


def test_nothing_holds_before_anything_was_delivered(tmp_path):
    """A test that delivers nothing has looked at nothing."""
    with Server(hostile.always(200)) as server, acting(tmp_path, server) as payproof:
        for name in (*EXPECTATIONS, "replay"):
            unknown(getattr(payproof, name), Reason.NOT_JUDGED)
        unknown(lambda: payproof.answer, Reason.NOT_JUDGED)


def test_a_delivery_that_was_not_made_is_not_judged_by_the_one_before(tmp_path):
    """After a delivery that could not be made nothing holds, though the one before was accepted."""
    with Server(hostile.always(200)) as server, acting(tmp_path, server) as payproof:
        payproof.deliver("invoice.paid").accepted()
        for wrong in ({"signature": "expierd.3600s"}, {"amount_payed": 1}):
            with pytest.raises(ConfigurationError):
                payproof.deliver("invoice.paid", **wrong)
        unknown(payproof.accepted, Reason.NOT_JUDGED)


def test_a_place_that_the_target_does_not_write_to_proves_nothing(tmp_path):
    """The silence of a database and a log in which the session's marker was not seen holds no expectation."""
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE events (id TEXT)")
    (tmp_path / "other.log").touch()
    listed = sources("other.db", "other.log")
    with billing(tmp_path) as server, acting(tmp_path, server, sources=listed, waive=()) as payproof:
        payproof.deliver("invoice.paid", signature="missing.no_header").rejected()
        unknown(payproof.nothing_changed, Reason.MARKER_NOT_SEEN)
        unknown(payproof.no_payment_data, Reason.MARKER_NOT_SEEN)


def test_a_channel_that_is_not_listed_proves_nothing(tmp_path):
    """Without a store in the target file, and without a waiver, what is said of stores is not judged."""
    with Server(hostile.always(200)) as server, acting(tmp_path, server, waive=()) as payproof:
        payproof.deliver("invoice.paid").accepted()
        for name in ("applied", "nothing_changed", "no_payment_data"):
            unknown(getattr(payproof, name), Reason.NOT_JUDGED)


def test_waived_channels(tmp_path):
    """What is waived as a whole is not judged; what is waived in part is, by the answer, and fails by it too."""
    with Server(hostile.always(200)) as server, acting(tmp_path, server, waive=BOTH) as payproof:
        payproof.deliver("invoice.paid").accepted().no_payment_data()
        for name in ("applied", "nothing_changed"):
            unknown(getattr(payproof, name), Reason.NOT_JUDGED)
        server._behave = hostile.echo
        with pytest.raises(AssertionError, match="no_disclosure: expected no sensitive value"):
            payproof.deliver("invoice.paid").no_payment_data()


def test_a_long_answer_is_not_judged_by_its_beginning(tmp_path):
    """Of an answer that is longer than what is kept of it nobody knows that it holds no payment data."""
    with Server(hostile.always(200)) as server, acting(tmp_path, server) as payproof:
        server._behave = lambda peer, _: peer.send(answer(200, b"x" * 100_000))
        unknown(payproof.deliver("invoice.paid").accepted().no_payment_data, Reason.RESPONSE_TOO_LARGE)


@pytest.mark.parametrize("status", [401, 500])
def test_a_target_that_refuses_all_rejects_nothing(tmp_path, status):
    """Where genuine deliveries are refused too, a refusal proves nothing; that they are refused is broken."""
    with Server(hostile.always(status)) as server, acting(tmp_path, server) as payproof:
        payproof.deliver("invoice.paid", signature="missing.no_header")
        for name in ("rejected", "no_payment_data"):
            unknown(getattr(payproof, name), Reason.CONTROL_FAILED)
        with pytest.raises(AssertionError, match=f"accepted: expected a status of 200 to 299, saw status {status}"):
            payproof.deliver("invoice.paid").accepted()


def test_an_own_delivery_shows_that_the_target_listens(tmp_path):
    """A target that takes only what the test itself delivers has a control: the test's own genuine delivery."""

    def behave(peer, request):
        peer.send(answer(200 if b'"charge.refunded"' in request.body and genuine(request) else 401))

    with Server(behave) as server, acting(tmp_path, server) as payproof:
        unknown(payproof.deliver("charge.refunded", signature="missing.no_header").rejected, Reason.CONTROL_FAILED)
        payproof.deliver("charge.refunded").accepted()
        payproof.deliver("charge.refunded", signature="missing.no_header").rejected()


def scrambled(folder):
    """Make the database one that is none."""
    (folder / "billing.db").write_bytes(b"no database at all" * 1000)


def replaced(folder):
    """Put a new database in the place of the one that is watched."""
    (folder / "billing.db").unlink()
    with contextlib.closing(sqlite3.connect(folder / "billing.db")) as connection:
        connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY, type TEXT)")


@pytest.mark.parametrize(
    "spoil",
    [
        scrambled,
        replaced,
        lambda folder: (folder / "billing.db").unlink(),
        lambda folder: (folder / "billing.log").unlink(),
    ],
    ids=["no database", "replaced", "removed", "no log"],
)
@pytest.mark.parametrize("when", ["before the delivery", "after it"])
def test_a_source_that_can_no_longer_be_read(tmp_path, spoil, when):
    """Where a source is gone, replaced or unreadable nothing holds, whether that shows before a delivery or after."""
    with billing(tmp_path) as server, acting(tmp_path, server, sources=sources(), waive=()) as payproof:
        payproof.deliver("invoice.paid").accepted().applied()
        if when == "before the delivery":
            spoil(tmp_path)
            unknown(lambda: payproof.deliver("invoice.paid"), Reason.SOURCE_UNREADABLE)
        else:
            payproof.deliver("invoice.paid", signature="missing.no_header")
            spoil(tmp_path)
        for name in EXPECTATIONS:
            unknown(getattr(payproof, name), Reason.SOURCE_UNREADABLE)


def test_no_traceback_holds_what_was_signed(tmp_path):
    """What is raised carries no frame but the fixture's own, so that no locals of the engine are shown."""
    with billing(tmp_path) as server, acting(tmp_path, server, sources=sources(), waive=()) as payproof:
        scrambled(tmp_path)
        with pytest.raises(InconclusiveError) as caught:
            payproof.deliver("invoice.paid")
    assert caught.value.__suppress_context__
    assert {entry.path.name for entry in caught.traceback[1:]} == {"testing.py"}
