import json
import sqlite3
import tomllib

import pytest

from tests.end_to_end.billing import genuine, sources
from tests.end_to_end.command import payproof_here, target_file
from tests.end_to_end.hostile import Server, answer

HANDLED = {"invoice.paid", "customer.subscription.updated"}
CONTRACT = "# what this shop promises\nanswer_within = 30\neffect_within = 0.3"


class Shop:
    """A shop that handles some types about one customer, and keeps a journal of whatever arrives."""

    def __init__(self, folder, *, journal=False, handled=frozenset(HANDLED), knows="cus_known"):
        self.folder, self.journal, self.handled, self.knows = folder, journal, handled, knows
        with self.open() as database:
            database.execute("CREATE TABLE applied (id TEXT PRIMARY KEY)")
            database.execute("CREATE TABLE users (name TEXT, customer TEXT)")
            database.execute("CREATE TABLE arrivals (size INTEGER)")
            database.execute("INSERT INTO users VALUES ('Ada', 'cus_NffrFeUfNV2Hib')")
        (folder / "billing.log").touch()

    def open(self):
        return sqlite3.connect(self.folder / "billing.db", isolation_level=None)

    def __call__(self, peer, request):
        """Take a request."""
        with self.open() as database:
            if self.journal and request.method == "POST":
                database.execute("INSERT INTO arrivals VALUES (?)", (len(request.body),))
            if not genuine(request):
                peer.send(answer(401))
                return
            event = json.loads(request.body)
            if event["type"] in self.handled and self.knows in json.dumps(event):
                database.execute("INSERT OR IGNORE INTO applied VALUES (?)", (event["id"],))
                with (self.folder / "billing.log").open("a") as log:
                    log.write(f"applied {event['id']}\n")
        peer.send(answer(200))


def shop_file(tmp_path, url, subject='customer = "cus_known"', **more):
    """Write the shop's target file."""
    return target_file(
        tmp_path, url, contract=CONTRACT, sources=f"{sources()}\n[subject]\n{subject}\n", waive=(), **more
    )


def test_what_was_learnt_is_written_into_the_target_file(tmp_path):
    """`calibrate --write` pins control, handled types and journals; the rest stays, and a later run is quick."""
    shop = Shop(tmp_path, journal=True)
    with Server(shop) as server:
        file = shop_file(tmp_path, server.url)
        ended = payproof_here("calibrate", "--target", file, "--write", "--seed", 3)
        assert (ended.code, ended.err) == (0, "")
        assert "reacts to 2 of " in ended.out
        assert "database.arrivals keeps a journal of deliveries" in ended.out
        written = tomllib.loads(file.read_text())
        sent = len(server.requests)
        again = payproof_here("run", "--target", file, "--scenario", "webhook_signature/missing[no_header]")
        assert (again.code, again.err) == (0, ""), again.out
        assert len(server.requests) - sent < 10
    assert set(written["contract"]["handles"]) == HANDLED
    assert written["contract"]["ignores"] == "2xx"
    assert written["control"] == {"event": "customer.subscription.updated"}
    assert written["stores"][0]["rejection_log"] == ["arrivals"]
    assert "# what this shop promises" in file.read_text()


def test_a_difference_from_what_is_pinned_is_told(tmp_path):
    """A type that has lost its effect, or gained one, is told by name, with code 1; the file stays as it is."""
    shop = Shop(tmp_path)
    with Server(shop) as server:
        file = shop_file(tmp_path, server.url)
        payproof_here("calibrate", "--target", file, "--write")
        before = file.read_text()
        shop.handled = frozenset({"customer.subscription.updated", "charge.refunded"})
        ended = payproof_here("calibrate", "--target", file)
    assert ended.code == 1
    assert "invoice.paid has no effect any more (status 200)" in ended.out
    assert "charge.refunded has an effect now" in ended.out
    assert file.read_text() == before


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("subject", "code", "told"),
    [
        ('find = "users.customer"', 0, "reacts to 2 of "),
        ('find = "users.name"', 4, "(cus_...) stands in 'users.name'; did you mean 'users.customer'?"),
        ('customer = "cus_stranger"', 3, "nothing to pin: name a customer that the target knows in [subject]"),
        ('customer = "sub_x"', 4, "customer"),
        ('make = "sign_up"', 4, "there is no operation 'sign_up'"),
    ],
)
def test_subjects(tmp_path, subject, code, told):
    """The subject is named, or found in a column; one that is not there is told, and nothing is green without it."""
    with Server(Shop(tmp_path, knows="cus_NffrFeUfNV2Hib")) as server:
        file = shop_file(tmp_path, server.url, subject)
        ended = payproof_here("calibrate", "--target", file)
    assert ended.code == code, ended
    assert told in ended.out + ended.err


def test_a_stranger_as_subject_is_no_green_run(tmp_path):
    """Where no event has an effect, the run ends with code 3 and the line of the target file that would help."""
    with Server(Shop(tmp_path)) as server:
        file = shop_file(tmp_path, server.url, 'customer = "cus_stranger"')
        ended = payproof_here("run", "--target", file, "--scenario", "webhook_signature/missing")
    assert ended.code == 3
    assert "name a customer that the target knows in [subject]" in ended.out
