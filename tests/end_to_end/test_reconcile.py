"""`payproof reconcile` as a user runs it: what flows at the double have caused, and a shop's own tables."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from payproof.adapters.upstream.server import UpstreamServer
from payproof.canary import Ledger
from payproof.session import all_flows
from payproof.session.account import ApiAccount
from tests.end_to_end.command import payproof_here, target_file
from tests.unit.test_flows import PRICES, backend, played

FLOWS = ("renewal", "cancel_now", "refund_in_part", "trial_cancelled")
NAMES = {"payment_intent": "payments", "refund": "refunds", "subscription": "subscriptions"}


@pytest.fixture(scope="module")
def stripe():
    """What answers for Stripe."""
    return backend()


@pytest.fixture(scope="module")
def at(stripe):
    """An account there."""
    return ApiAccount(stripe, PRICES)


@pytest.fixture(scope="module")
def lives(at):
    """Every event of these lives."""
    return [event.content for name in FLOWS for event in asyncio.run(played(all_flows()[name], at))[1]]


@pytest.fixture(scope="module")
def export(lives, tmp_path_factory):
    """Their export."""
    file = tmp_path_factory.mktemp("stripe") / "events.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in lives))
    return file


@pytest.fixture
def shop(at, tmp_path):
    """The file of a shop that keeps everything as Stripe has it now."""
    return fill(tmp_path / "shop.db", at)


def listed(at, path, **more):
    """Return a list at Stripe."""
    return asyncio.run(at.call("GET", path, {"limit": 100, **more}, ""))["data"]


def fill(file, at):
    """Write a shop's rows, in words, amounts and tables of its own, and return the file."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript("""
            CREATE TABLE plans (
                id INTEGER PRIMARY KEY, owner TEXT, stripe_id TEXT, state TEXT, price TEXT, last_event TEXT
            );
            CREATE TABLE money (intent TEXT PRIMARY KEY, total TEXT, refunded TEXT, state TEXT);
            CREATE TABLE returned (id INTEGER PRIMARY KEY, intent TEXT, refund TEXT, amount INTEGER);
            CREATE TABLE journal (id TEXT PRIMARY KEY, object TEXT, state TEXT);
        """)
        for number, one in enumerate(listed(at, "/v1/subscriptions", status="all")):
            price = one["items"]["data"][0]["price"]["id"]
            row = (number, f"user {number}", one["id"], one["status"], price, f"evt_last{number:08}")
            database.execute("INSERT INTO plans VALUES (?, ?, ?, ?, ?, ?)", row)
        refunds = listed(at, "/v1/refunds")
        for one in listed(at, "/v1/payment_intents"):
            back = sum(refund["amount"] for refund in refunds if refund["payment_intent"] == one["id"])
            state = "given back" if back else one["status"]
            row = (one["id"], f"{one['amount'] / 100:.2f}", f"{back / 100:.2f}", state)
            database.execute("INSERT INTO money VALUES (?, ?, ?, ?)", row)
        for one in refunds:
            row = (one["payment_intent"], one["id"], one["amount"])
            database.execute("INSERT INTO returned (intent, refund, amount) VALUES (?, ?, ?)", row)
        database.commit()
    return file


def change(file, *statements):
    """Change the shop's rows."""
    with closing(sqlite3.connect(file)) as database:
        for statement in statements:
            database.execute(*statement) if isinstance(statement, tuple) else database.execute(statement)
        database.commit()


def first(file, query):
    """Return the first value of a query."""
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchone()[0]


def reconciled(shop, *arguments, contract=""):
    """Run the command on the shop."""
    sources = f'[[stores]]\nname = "shop"\nurl = "sqlite:{shop}"'
    target = target_file(shop.parent, "http://127.0.0.1:1", sources=sources, waive=("log",), contract=contract)
    return payproof_here("reconcile", "--target", target, *arguments, "--grace", 0)


@pytest.fixture(params=["events", "api"])
def known(request, stripe, export):
    """The arguments that name what Stripe knows: an export, and a server that answers for Stripe."""
    if request.param == "events":
        yield "--events", export
        return
    with UpstreamServer(stripe, ledger=Ledger(), https_port=None) as server:
        yield "--stripe", server.urls["http"]


def test_a_shop_that_has_all_agrees(shop, known):
    """Words of the shop's own, amounts with two decimals and a row's last event are no difference."""
    ended = reconciled(shop, *known)
    assert ended.code == 0, ended.out
    assert "subscriptions  4 at Stripe, 4 in rows" in ended.out
    assert "compared: plans.price, plans.state" in ended.out
    assert "compared: money.refunded, money.state, money.total" in ended.out
    assert "compared: returned.amount" in ended.out


def test_what_is_missing_or_differs_is_named(shop, known):
    """Each lost row and each wrong column is a line; rows that agree are none."""
    gone = first(shop, "SELECT stripe_id FROM plans WHERE state = 'active'")
    ended_one = first(shop, "SELECT stripe_id FROM plans WHERE state = 'canceled'")
    lost = first(shop, "SELECT intent FROM money WHERE state = 'succeeded'")
    short = first(shop, f"SELECT intent FROM money WHERE state = 'succeeded' AND intent <> '{lost}'")
    change(
        shop,
        ("DELETE FROM plans WHERE stripe_id = ?", (gone,)),
        ("UPDATE plans SET state = 'active' WHERE stripe_id = ?", (ended_one,)),
        ("DELETE FROM money WHERE intent = ?", (lost,)),
        ("UPDATE money SET total = '1.00' WHERE intent = ?", (short,)),
        # That its event came is no subscription.
        ("INSERT INTO journal VALUES ('evt_came00001', ?, 'active')", (gone,)),
    )
    ended = reconciled(shop, *known)
    assert ended.code == 1
    lines = [line.strip() for line in ended.out.splitlines() if line.startswith("  ") and "_" in line.split()[0]]
    assert sorted(line.partition(" (")[0] for line in lines) == sorted(
        [
            f"{gone}  never arrived: at Stripe status active",
            f"{ended_one}  plans.state is active, at Stripe canceled",
            f"{lost}  never arrived: at Stripe status succeeded, amount 1000, currency usd",
            f"{short}  money.total is 1.00, at Stripe 10",
        ]
    )


def test_a_kind_that_no_row_names_is_unknown(shop, export):
    """A shop that keeps no refund has not lost them; where payments say what was refunded they are compared so."""
    change(shop, "DROP TABLE returned")
    ended = reconciled(shop, "--events", export)
    assert ended.code == 0
    assert "refunds        2 at Stripe, 0 in rows\n               compared: money.refunded" in ended.out
    change(shop, "UPDATE money SET refunded = ''")
    ended = reconciled(shop, "--events", export)
    assert ended.code == 3
    assert "NOT COMPARED: no row names one by its id" in ended.out
    assert reconciled(shop, "--events", export, "--kind", "payment", "--kind", "subscription").code == 0


def test_mirrors_are_taken_at_their_word(shop, export):
    """A column that the contract calls a mirror is compared to the letter."""
    contract = "[contract.mirrors]\n'money.state' = 'payment_intent/status'"
    ended = reconciled(shop, "--events", export, contract=contract)
    assert ended.code == 1
    assert "money.state is given back, at Stripe succeeded" in ended.out


def test_what_has_just_changed_is_not_judged(shop, export):
    """What may still be under way is counted as that."""
    change(shop, "DELETE FROM plans WHERE id = 0")
    sources = f'[[stores]]\nname = "shop"\nurl = "sqlite:{shop}"'
    target = target_file(shop.parent, "http://127.0.0.1:1", sources=sources, waive=("log",))
    ended = payproof_here("reconcile", "--target", target, "--events", export, "--grace", 400 * 86400)
    assert ended.code == 0
    assert "4 at Stripe, 3 in rows, 4 too recent" in ended.out


def test_a_mirror_of_whole_objects_agrees(at, export, tmp_path):
    """Tables that keep Stripe's objects as JSON are read by what the objects say."""
    file = tmp_path / "mirror.db"
    with closing(sqlite3.connect(file)) as database:
        for path, table in (("/v1/payment_intents", "intents"), ("/v1/refunds", "refunds")):
            database.execute(f"CREATE TABLE {table} (id TEXT PRIMARY KEY, data TEXT)")
            rows = [(one["id"], json.dumps(one)) for one in listed(at, path)]
            database.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
        database.commit()
    given = ("--events", export, "--kind", "payment", "--kind", "refund")
    ended = reconciled(file, *given)
    assert ended.code == 0
    assert "compared: refunds.data.amount, refunds.data.status" in ended.out
    change(file, "UPDATE refunds SET data = json_set(data, '$.status', 'pending')")
    ended = reconciled(file, *given)
    assert ended.code == 1
    assert ended.out.count("refunds.data.status is pending, at Stripe succeeded") == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "one place must be named that knows what Stripe knows"),
        (("--events", "there-is-none.jsonl"), "the events cannot be read"),
        (("--key-env", "PAYPROOF_THERE_IS_NONE"), "PAYPROOF_THERE_IS_NONE is not set"),
        (("--stripe", "https://api.stripe.com"), "needs a test key"),
        (("--stripe", "http://127.0.0.1:9", "--events", "x"), "one place must be named"),
        (("--events", "x", "--since", "yesterday"), "--since"),
    ],
)
def test_bad_input_is_one_line(shop, arguments, told):
    """What cannot be right is told in a line, with exit code 4."""
    ended = reconciled(shop, *arguments)
    assert ended.code == 4
    assert told in ended.line


def test_a_live_key_is_refused(shop, monkeypatch):
    """Nothing is asked with a live key, and the key is not shown."""
    monkeypatch.setenv("SHOP_KEY", "sk_" + "live_" + "0123456789abcdef")
    ended = reconciled(shop, "--key-env", "SHOP_KEY")
    assert ended.code == 4
    assert "SHOP_KEY: a live key is never used" in ended.line
    assert "0123456789abcdef" not in ended.out + ended.err


def test_a_target_without_stores_is_told(export, tmp_path):
    """There must be something to compare with."""
    ended = payproof_here("reconcile", "--target", target_file(tmp_path, "http://127.0.0.1:1"), "--events", export)
    assert ended.code == 4
    assert "no store to compare with" in ended.line
