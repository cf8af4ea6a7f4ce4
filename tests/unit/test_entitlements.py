"""What those who pay get: how a target file tells of it, how it is seen, and how it is judged."""

import asyncio
import json
from random import Random

import pytest

from payproof.checks.granted import Granted
from payproof.checks.not_granted import NotGranted
from payproof.checks.nothing_replaced import NothingReplaced
from payproof.checks.replaced import Replaced
from payproof.checks.taken_back import TakenBack
from payproof.domain.entitlement import OtherBeneficiary
from payproof.domain.kind import Kind
from payproof.domain.observation import EntitlementSeen, Exchange, NoAnswer, RowSeen, Sent, StoreChange, TableChange
from payproof.domain.operation import Price
from payproof.domain.seen import Seen
from payproof.domain.target import Contract
from payproof.engine.context.entitlement import CaseEntitlement
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.judge import skip
from payproof.engine.patience import Patience
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.language import read_target
from payproof.registry import store_sources
from payproof.session import all_scenarios
from payproof.session.event_factory import event_factory
from payproof.stripe.foreign import find_foreign_endpoint, make_foreign
from payproof.stripe.grants import find_values, has_value, name_other

SECRET, OTHER = "whsec_" + "0123456789abcdefghij", "whsec_" + "jihgfedcba9876543210"
FILE = """\
name = "shop"
url = "http://127.0.0.1:8000"
environment = "local"

[webhook]
path = "/hook"
secret_env = "HOOK"
api_version = "2026-08-26.dahlia"
"""
PLAN = """
[entitlements.plan]
grants = ["checkout.session.completed"]
column = "users.plan"
where = { id = 17 }
granted = ["pro", true]
"""
ASKED = """
[principals.member]
credential_env = "TOKEN"

[entitlements.export]
grants = ["customer.subscription.created"]
request = "POST /exports/{subscription}"
as = "member"
"""
VERSIONS = ["2022-11-15", "2026-08-26.dahlia"]


def read(folder, text, **more):
    file = folder / "payproof.toml"
    file.write_text(FILE + text)
    return read_target(file, {"HOOK": SECRET, "TOKEN": "token-0123456789", "CONNECT": OTHER, **more})


def test_a_row_or_a_request_shows_it(tmp_path):
    """Numbers and booleans are read as the texts that stores and answers show."""
    target = read(tmp_path, PLAN + ASKED)
    plan, export = target.entitlements["plan"], target.entitlements["export"]
    assert (plan.column, dict(plan.where), plan.granted, plan.path) == ("users.plan", {"id": "17"}, ("pro", "true"), "")
    assert (export.method, export.path, export.principal.name) == ("POST", "/exports/{subscription}", "member")
    assert plan.is_of_checkout
    assert not export.is_of_checkout


def test_price_is_that_of_the_subject_at_the_cost_that_the_double_knows(tmp_path):
    """What is said elsewhere of the price need not be said again; an amount of its own counts more."""
    told = '[subject]\nprice = "price_team"\n[upstream]\nurl = "http://127.0.0.1:1"\n'
    told += "[upstream.prices.price_team]\namount = 700\n"
    plan = read(tmp_path, PLAN + told).entitlements["plan"]
    assert (plan.price, plan.cost) == ("price_team", Price(700))
    own = read(tmp_path, PLAN + 'amount = 900\ncurrency = "eur"\n' + told).entitlements["plan"]
    assert own.cost == Price(900, "eur")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (PLAN.replace("column", "# column"), "either column, or request"),
        (PLAN + 'request = "GET /me"\n', "either column, or request"),
        (PLAN.replace("where", "# where"), "where, which says whose row it is"),
        (PLAN.replace("granted", "# granted"), "granted, such as"),
        (PLAN.replace("users.plan", "plan"), "a table and a column"),
        (PLAN.replace('["checkout.session.completed"]', "[]"), "grants"),
        (
            PLAN.replace("id = 17", 'id = "{custmer}"'),
            "wants {custmer}, which stands for nothing; did you mean 'customer'?",
        ),
        (ASKED.replace('as = "member"', 'as = "membr"'), "unknown principal 'membr'; did you mean 'member'?"),
        (ASKED + 'after = ["subscribe"]\n', "there is no operation 'subscribe'"),
        (ASKED + "[entitlements.export.other]\nas = 'member'\n", "metadata or reference"),
        (PLAN + "revoke = []\n", "revoke"),
        ('[endpoints.connect]\npath = "/hook"\nsecret_env = "CONNECT"\n', "/hook is the path of [webhook]"),
        ('[endpoints.connect]\npath = "/c"\nsecret_env = "HOOK"\n', "HOOK holds the secret of [webhook]"),
        ('[endpoints.connect]\npath = "/c"\nsecret_env = "NONE"\n', "the environment variable NONE is not set"),
    ],
)
def test_mistakes_are_told_by_their_line(tmp_path, text, told):
    """What is wrong with an entitlement or an endpoint is one clear line."""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)
    assert "payproof.toml:" in str(caught.value)


def test_a_target_without_entitlements_is_told_what_would_let_it_be_judged(tmp_path):
    """No case of an entitlement passes unseen: each says which lines it wants."""
    wanted = {}
    for text in ("", PLAN):
        target = read(tmp_path, text)
        for scenario in all_scenarios():
            if scenario.topic == "business_binding":
                wanted |= {
                    (case.id, bool(text)): skip(target, scenario, case).wants
                    for case in scenario.cases
                    if skip(target, scenario, case)
                }
    assert "[entitlements]" in wanted["business_binding/underpaid[unknown_price]", False]
    assert wanted["business_binding/underpaid[unknown_price]", True] == ("[entitlements.NAME] price",)
    assert wanted["business_binding/metadata_tenant[named_in_metadata]", True] == ("[entitlements.NAME.other]",)
    assert wanted["business_binding/success_redirect[unpaid]", True] == ("[entitlements.NAME] success",)
    assert "[webhook] connect" in wanted["business_binding/wrong_account[account]", False]
    assert ("business_binding/unpaid_checkout[unpaid]", True) not in wanted


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("type_", ["checkout.session.completed", "customer.subscription.created", "invoice.paid"])
def test_events_tell_the_cost_of_the_plan(version, type_):
    """Whatever the fields of an amount are called, all tell the plan's, and nothing else has changed."""

    def make(**values):
        made = event_factory(1).make(type_, api_version=version, now=1, canaries=CANARIES, key="a", **values)
        return json.loads(made.encode())

    plain = make()
    values = find_values(plain, Price(731, "eur"), paid=True)
    event = make(set=values)
    text = json.dumps(event["data"]["object"])
    assert "731" in text
    assert "2000" not in text
    assert '"usd"' not in text
    assert has_value(plain["data"]["object"], "metadata.anything")
    assert not has_value(plain["data"]["object"], "nothing.of.this")


CANARIES = dict.fromkeys(("email", "name", "phone", "address", "description", "metadata", "client_secret"), "canary-x")


def test_somebody_else_is_named_wherever_an_event_has_metadata():
    """Metadata of the object and of those within it, and the reference of a checkout."""
    other = OtherBeneficiary(metadata={"user": "18"}, reference="18")
    subject = {"metadata": {}, "items": {"data": [{"metadata": {"a": "b"}}]}, "client_reference_id": None}
    assert name_other(subject, other) == {
        "metadata.user": "18",
        "items.data.0.metadata.user": "18",
        "client_reference_id": "18",
    }


def test_a_foreign_event_differs_in_its_mode_or_its_account_alone():
    """Everything else is as Stripe would have sent it."""
    body = json.dumps({"livemode": False, "data": {"object": {"livemode": False, "id": "x"}}}).encode()
    live = json.loads(make_foreign(body, "live_mode", Random(1)))
    assert (live["livemode"], live["data"]["object"]) == (True, {"livemode": True, "id": "x"})
    foreign = json.loads(make_foreign(body, "account", Random(1)))
    assert foreign.pop("account").startswith("acct_1")
    assert foreign == json.loads(body)


@pytest.mark.parametrize(
    ("webhook", "endpoint", "foreign", "path"),
    [
        ("", "", "account", None),
        ("connect = true", "", "account", "/hook"),
        ("", "connect = true", "account", "/connect"),
        ("connect = true", "", "live_mode", "/hook"),
        ("connect = true", "", "test_mode", None),
        ("connect = true\nlivemode = true", "", "test_mode", "/hook"),
        ("connect = true\nlivemode = true", "", "live_mode", None),
        ("connect = true", "connect = true\nlivemode = true", "test_mode", "/connect"),
    ],
)
def test_foreign_events_go_where_stripe_sends_them(tmp_path, webhook, endpoint, foreign, path):
    """Those of others to an endpoint for Connect, those of test mode to one of live mode; else none is sent."""
    more = f'[endpoints.other]\npath = "/connect"\nsecret_env = "CONNECT"\n{endpoint}\n'
    found, gap = find_foreign_endpoint(read(tmp_path, f"{webhook}\n{more}"), foreign)
    assert (None if found is None else found.path) == path
    assert (found is None) == (gap is not None)


def look(granted, step=0, whose="subject"):
    return EntitlementSeen(
        step, "plan", whose, granted, "users.plan is 'pro'", "users.plan", 1.5, "invoice.paid, unpaid"
    )


def delivery(step, event):
    sent = Sent("POST", "http://h/hook", f"{event}, unpaid: evt_1", 1, "", "valid", event=event)
    return Exchange(step, sent, NoAnswer(Reason.UNREACHABLE, "", 0.0))


def test_what_is_granted_is_judged_by_what_was_seen():
    """Each look that shows the other is a finding, which says where and after which delivery."""
    seen = Seen(Contract(), (delivery(0, "invoice.paid"), look(granted=True, step=1)))
    (wrong,) = NotGranted().judge(seen)
    assert (wrong.kind, wrong.step, str(wrong.spot)) == (Kind.GRANTED_WRONGLY, 1, "entitlement plan, users.plan")
    assert wrong.seen == "users.plan is 'pro' after invoice.paid, unpaid"
    assert not [*Granted().judge(seen)]
    (missing,) = Granted().judge(Seen(Contract(), (look(granted=False),)))
    assert missing.kind is Kind.NOT_GRANTED


def change(step, *rows, removed=0, table="payments"):
    shown = tuple(RowSeen(table, tuple(row.items())) for row in rows)
    return StoreChange(step, "database", (TableChange(table, len(rows), removed),), rows=shown)


@pytest.mark.parametrize(
    ("refund", "finding"),
    [
        (StoreChange(3, "database", ()), True),
        (change(3, {"event": "{evt}", "type": "charge.refunded"}), True),
        (change(3, {"event": "{evt}", "body.data.id": "{ch}"}), True),
        (change(3, {"charge": "{ch}", "refunded": "1"}), False),
        (change(3, {"user": "17", "flagged": "1"}, removed=1), False),
    ],
)
def test_a_refund_is_seen_where_a_row_tells_of_it(refund, finding):
    """A row that only says that an event came tells nothing of the money."""
    seen = Seen(Contract(), (delivery(3, "charge.refunded"), refund, look(granted=True, step=4)))
    assert bool([*TakenBack().judge(seen)]) is finding
    ended = Seen(Contract(), (delivery(3, "charge.refunded"), refund, look(granted=False, step=4)))
    assert not [*TakenBack().judge(ended)]


@pytest.mark.parametrize(
    ("row", "removed", "replaced"),
    [
        ({"id": "{sub}", "status": "active"}, 1, True),
        ({"id": "{sub}", "account": "acct_1"}, 0, False),
        ({"last_event": "{evt}", "at": "{time}"}, 1, False),
        ({"count": "7"}, 1, False),
    ],
)
def test_a_row_of_the_object_that_changes_is_told_from_others(row, removed, replaced):
    """What each delivery changes is no state of the object, nor is a row that stands beside it."""
    seen = Seen(Contract(), (change(0, row, removed=removed),))
    assert bool([*NothingReplaced().judge(seen)]) is replaced
    assert bool([*Replaced().judge(seen)]) is not replaced


def read_column(target, database, column, where, store=""):
    """Return what stands in a column of a database, as a step is told it."""
    spec = database.spec()
    opened = store_sources()[spec.url.partition(":")[0]](spec)

    async def run():
        try:
            part = CaseEntitlement(target, [opened], Patience(), PhaseProgress(), lambda text: text)
            return list(await part.read_column(store, column, where))
        finally:
            await opened.close()

    return asyncio.run(run())


@pytest.mark.thorough
def test_rows_are_read_by_their_values(tmp_path, database):
    """The column of the rows that hold all values, whatever their types; NULL is nothing."""
    target = read(tmp_path, PLAN)
    database.run(
        "CREATE TABLE users (id INTEGER, customer VARCHAR(20), plan VARCHAR(20), active BOOLEAN)",
        "INSERT INTO users VALUES (17, 'cus_1', 'pro', TRUE), (18, 'cus_2', NULL, FALSE), (19, 'cus_1', 'free', TRUE)",
    )
    assert read_column(target, database, "users.plan", {"id": "17"}) == ["pro"]
    assert sorted(read_column(target, database, "users.plan", {"customer": "cus_1"})) == ["free", "pro"]
    assert read_column(target, database, "users.plan", {"id": "18"}) == []
    assert read_column(target, database, "users.active", {"id": "17"})[0] in {"1", "t"}
    for column, where in (("users.none", {"id": "17"}), ("users.plan", {"none": "17"}), ("nobody.plan", {"id": "17"})):
        with pytest.raises(InconclusiveError):
            read_column(target, database, column, where)
