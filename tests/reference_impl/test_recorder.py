import asyncio
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event as listening
from sqlalchemy.exc import DBAPIError, OperationalError

from payproof_reference.database.engine import open_database
from payproof_reference.services.audit.chain import IntactLog
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.events import audit_records, effects, recorder, transactions, webhooks
from payproof_reference.services.events.delivery import Account, EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder
from payproof_reference.services.stripe.snapshots import SubscriptionSnapshot
from tests.reference_impl.deliveries import event, subscription


@pytest.fixture
def take(engine, audit, stripe):
    """Take events in as concurrent requests would; give what became of each, errors included."""

    def all_at_once(*bodies: bytes) -> list[Receipt | BaseException]:
        async def run() -> list[Receipt | BaseException]:
            desk = Recorder(engine, audit, stripe, Account(livemode=False))
            tasks = (desk.record(webhooks.parse(body), received_at=1, origin="192.0.2.1") for body in bodies)
            return await asyncio.gather(*tasks, return_exceptions=True)

        return asyncio.run(run())

    return all_at_once


@pytest.fixture
def commits(engine):
    """Count the commits."""
    counted: Counter[str] = Counter()
    listening.listen(engine, "commit", lambda _connection: counted.update(["commits"]))
    return counted


def updates(count: int) -> list[bytes]:
    """Build events of as many subscriptions."""
    return [event(id=f"evt_{number}", body=subscription(id=f"sub_{number}")) for number in range(count)]


def break_for(monkeypatch, broken: str, error: Exception) -> None:
    """Let the effect of one event fail."""
    right = effects.apply_snapshot

    def apply(connection, found, *rest):
        if found.id == broken:
            raise error
        return right(connection, found, *rest)

    monkeypatch.setattr(effects, "apply_snapshot", apply)


def verified(engine, audit):
    """Check the audit log."""
    with engine.connect().execution_options(read_only=True) as connection:
        return audit.verify(connection)


def test_deliveries_at_once_share_transactions(take, commits, client, engine, audit):
    """What waits at one time goes into one transaction, each with its own receipt and its own records."""
    assert take(*updates(40)) == [Receipt(EventOutcome.APPLIED)] * 40
    assert commits["commits"] == 1
    assert len(client.rows("inbox")) == len(client.rows("subscriptions")) == 40
    checked = verified(engine, audit)
    assert isinstance(checked, IntactLog)
    assert checked.records == 80


def test_batches_are_bounded(take, commits, monkeypatch):
    """What waits goes in the order in which it came, as many at a time as one transaction may take."""
    monkeypatch.setattr(recorder, "LARGEST_BATCH", 10)
    assert take(*updates(31)) == [Receipt(EventOutcome.APPLIED)] * 31
    assert commits["commits"] == 4


def test_failure_of_one_costs_no_other(take, client, monkeypatch):
    """Of many in one transaction one fails: it alone has no effect, and its sender alone is told; later it has."""
    with monkeypatch.context() as patched:
        break_for(patched, "evt_7", KeyError("canary"))
        became = take(*updates(20))
    assert [number for number, one in enumerate(became) if one != Receipt(EventOutcome.APPLIED)] == [7]
    assert isinstance(became[7], KeyError)
    assert len(client.rows("inbox")) == len(client.rows("subscriptions")) == 19
    failures = "SELECT count(*), max(object_id), max(reason) FROM audit_log WHERE event = 'webhook_failed'"
    with client.engine.connect().execution_options(read_only=True) as connection:
        assert connection.exec_driver_sql(failures).fetchall() == [(1, "evt_7", "KeyError")]
    assert take(*updates(20)) == [
        Receipt(EventOutcome.DUPLICATE if n != 7 else EventOutcome.APPLIED) for n in range(20)
    ]


def test_copies_at_once_have_one_effect(take, client):
    """Copies in one transaction are told apart as those in many are."""
    became = take(*[event(id="evt_1")] * 20)
    assert Counter(one.outcome for one in became) == {EventOutcome.APPLIED: 1, EventOutcome.DUPLICATE: 19}
    assert len(client.rows("inbox")) == 1


def test_events_of_one_object_at_once_end_in_the_newest_state(take, client):
    """In one transaction too the newest state wins, and each event has a receipt of its own."""
    bodies = [event(body=subscription(status="active"), created=1_700_000_000 + n) for n in (3, 1, 4, 1, 5, 9, 2, 6)]
    became = take(*bodies)
    assert Counter(one.outcome for one in became)[EventOutcome.APPLIED] >= 1
    assert client.rows("subscriptions", "event_created_at") == [(1_700_000_009,)]
    assert len(client.rows("inbox")) == 8


def test_same_second_in_one_transaction(take, client, stripe):
    """Where two of one transaction disagree within a second Stripe decides, and the others are none the worse."""
    stripe.subscriptions["sub_1"] = stripe_state = SubscriptionSnapshot.model_validate(subscription(status="unpaid"))
    rivals = [event(body=subscription(status=status)) for status in ("active", "past_due")]
    others = [event(body=subscription(id=f"sub_{number}")) for number in range(2, 12)]
    became = take(*others[:5], *rivals, *others[5:])
    assert {one.outcome for one in became} == {EventOutcome.APPLIED}
    assert dict(client.rows("subscriptions", "stripe_subscription_id, status"))["sub_1"] == stripe_state.status
    assert len(client.rows("subscriptions")) == 11


def test_answer_follows_the_commit(engine, audit, stripe):
    """Nobody has a receipt before the transaction that took the event is committed."""
    committing, go_on = threading.Event(), threading.Event()

    def wait(_connection) -> None:
        committing.set()
        assert go_on.wait(10)

    async def run() -> None:
        desk = Recorder(engine, audit, stripe, Account(livemode=False))
        task = asyncio.create_task(desk.record(webhooks.parse(event()), received_at=1, origin="192.0.2.1"))
        await asyncio.to_thread(committing.wait, 10)
        await asyncio.sleep(0.05)
        assert not task.done()
        go_on.set()
        assert await task == Receipt(EventOutcome.APPLIED)

    listening.listen(engine, "commit", wait)
    asyncio.run(run())


def test_failing_commit_is_a_failure_of_all_and_of_nothing_more(take, client, engine, monkeypatch):
    """When the database refuses the commit, each is told so and none is applied; their next deliveries are."""

    def refuse(_connection) -> None:
        raise engine.dialect.dbapi.OperationalError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(engine.dialect, "do_commit", refuse)
        became = take(*updates(5))
    assert {type(one) for one in became} == {OperationalError}
    assert client.rows("inbox") == client.rows("subscriptions") == client.rows("audit_log") == []
    assert take(*updates(5)) == [Receipt(EventOutcome.APPLIED)] * 5


def test_broken_database_is_waited_for_once(take, owner, monkeypatch):
    """While another holds the database all that wait are refused in the time that their senders have."""
    monkeypatch.setattr(recorder, "ANSWER_SECONDS", 5)
    monkeypatch.setattr(recorder, "ALONE_SECONDS", 1)
    with owner.begin() as blocker:
        if owner.name == "postgresql":
            blocker.exec_driver_sql("LOCK TABLE inbox")
        became = take(*updates(6))
    assert {type(one) for one in became} <= {OperationalError, TimeoutError}
    assert len(became) == 6


def test_answer_is_given_in_time(take, client, stripe, monkeypatch):
    """However long Stripe takes, the sender is told to come again before it gives up; nothing is applied meanwhile."""
    monkeypatch.setattr(recorder, "ANSWER_SECONDS", 0.5)
    stripe.subscriptions["sub_1"] = SubscriptionSnapshot.model_validate(subscription())
    released = threading.Event()
    right = stripe.retrieve_subscription
    monkeypatch.setattr(stripe, "retrieve_subscription", lambda given: (released.wait(10), right(given))[1])
    take(event(body=subscription(status="past_due")))
    (became,) = take(event())
    released.set()
    assert isinstance(became, TimeoutError)
    assert client.rows("subscriptions", "status") == [("past_due",)]
    assert len(client.rows("inbox")) == 1


def test_processes_share_objects_and_events(engine, audit, stripe, addresses, settings):
    """Two processes that take the same events of the same objects at once never fail each other; each counts once."""
    bodies = [
        event(id=f"evt_{number}", body=subscription(id=f"sub_{number % 7}"), created=1_700_000_000 + number)
        for number in range(60)
    ]
    other = open_database(addresses.service)

    def process(number: int) -> list[Receipt | BaseException]:
        async def run() -> list[Receipt | BaseException]:
            log, where = (audit, engine) if number else (AuditLog(settings.audit_key), other)
            desk = Recorder(where, log, stripe, Account(livemode=False))
            mixed = random.Random(number).sample(bodies, len(bodies))
            tasks = (desk.record(webhooks.parse(body), received_at=1, origin="192.0.2.1") for body in mixed)
            return await asyncio.gather(*tasks, return_exceptions=True)

        return asyncio.run(run())

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(process, range(2))
    other.dispose()
    assert {type(one) for one in first + second} == {Receipt}
    assert Counter(one.outcome for one in first + second)[EventOutcome.DUPLICATE] == 60
    assert isinstance(verified(engine, audit), IntactLog)


def test_crowd_is_told_to_come_again(take, client, monkeypatch):
    """More than may wait are refused at once."""
    monkeypatch.setattr(recorder, "MOST_WAITING", 3)
    became = take(*updates(6))
    assert Counter(type(one) for one in became) == {Receipt: 3, TimeoutError: 3}
    assert len(client.rows("inbox")) == 3


def test_batch_that_the_audit_log_refuses_is_taken_apart(take, client, monkeypatch):
    """A record that the database does not take fails its own delivery, though it is written together with others."""
    right = audit_records.build_records

    def strange(delivery, receipt):
        lines = right(delivery, receipt)
        return lines if delivery.event.id != "evt_3" else [*lines, None]

    monkeypatch.setattr(audit_records, "build_records", strange)
    became = take(*updates(6))
    assert [isinstance(one, Receipt) for one in became] == [True, True, True, False, True, True]
    assert not isinstance(became[3], DBAPIError)
    assert len(client.rows("inbox")) == 5


def test_worker_that_dies_is_replaced(engine, audit, stripe, monkeypatch):
    """A defect of the worker costs the deliveries that it had, not those that come after."""
    monkeypatch.setattr(recorder, "ANSWER_SECONDS", 0.2)

    async def run() -> list[Receipt | BaseException]:
        desk = Recorder(engine, audit, stripe, Account(livemode=False))
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        became = []
        for number in range(2):
            with monkeypatch.context() as patched:
                if number == 0:
                    patched.setattr(transactions, "record_together", lambda *_, **__: 1 / 0)
                found = webhooks.parse(event(id=f"evt_{number}"))
                became += await asyncio.gather(
                    desk.record(found, received_at=1, origin="192.0.2.1"), return_exceptions=True
                )
        return became

    became = asyncio.run(run())
    assert isinstance(became[0], TimeoutError)
    assert isinstance(became[1], Receipt)
