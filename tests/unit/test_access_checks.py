"""The checks of who may do what, and the table of a run: what each takes for a fault, and what not."""

import pytest

from payproof.checks.card_not_sent import CardNotSent
from payproof.checks.card_refused import CardRefused
from payproof.checks.input_refused import InputRefused
from payproof.checks.locked_out import LockedOut
from payproof.checks.no_row_changed import NoRowChanged
from payproof.checks.not_assigned import NotAssigned
from payproof.checks.not_called import NotCalled
from payproof.checks.not_traced import NotTraced
from payproof.checks.nothing_exposed import NothingExposed
from payproof.checks.refused import Refused
from payproof.checks.same_answer import SameAnswer
from payproof.domain.access import AccessContract, Asking, Lockout
from payproof.domain.assigned import NUMBER, TEXT
from payproof.domain.events import CaseFinished, Record
from payproof.domain.finding import Severity
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange, RowSeen, Sent, StoreChange, StripeCalls, TableChange
from payproof.domain.seen import Seen
from payproof.domain.stripe_call import KeyKind, StripeCall
from payproof.domain.target import Contract
from payproof.domain.verdict import Passed
from payproof.reporters.access_table import build_access_table

STRICT = Contract(access=AccessContract(frozenset({401}), frozenset({403}), frozenset({404})))
ASKED = Asking("subscribe", "reader", "forbidden")
JSON, HTML = ("content-type", "application/json"), ("content-type", "text/html")


def exchange(status, body="{}", *, asking=ASKED, header=JSON, step=0, called=0, role="", method="POST", **said):
    """Return an exchange with an answer."""
    sent = Sent(method, "https://billing.example/subscriptions", "", 0, "", asking=asking, role=role, **said)
    return Exchange(step, sent, Answer(status, (header,), body, len(body), 0.01), called)


def call(method="POST", *parameters, number=0):
    """Return a call to Stripe."""
    return StripeCall(number, method, "/v1/subscriptions", parameters, (), "", KeyKind.TEST, 0.0)


def kinds(check, *observations, contract=STRICT):
    """Return the kinds of what a check finds."""
    return [one.kind for one in check.judge(Seen(contract, observations))]


@pytest.mark.parametrize(
    ("status", "body", "header", "strict", "loose"),
    [
        (403, "{}", JSON, [], []),
        (401, "{}", JSON, [Kind.ACCESS_MISTOLD], []),
        (302, "", HTML, [Kind.ACCESS_MISTOLD], []),
        (200, '{"id": "sub_1"}', JSON, [Kind.ACCESS_GRANTED], [Kind.ACCESS_GRANTED]),
        (204, "", JSON, [Kind.ACCESS_GRANTED], [Kind.ACCESS_GRANTED]),
        (200, "<html>sign in</html>", HTML, [Kind.ACCESS_MISTOLD], []),
        (200, '{"error": "forbidden"}', JSON, [Kind.ACCESS_MISTOLD], []),
        (500, "{}", JSON, [Kind.SERVER_ERROR], [Kind.SERVER_ERROR]),
    ],
)
def test_refused(status, body, header, strict, loose):
    """Statuses are held to the contract where it has some; what is done is a fault either way, a page is none."""
    seen = exchange(status, body, header=header)
    assert kinds(Refused(), seen) == strict
    assert kinds(Refused(), seen, contract=Contract()) == loose


def test_a_role_that_is_not_known_is_not_judged():
    """Who should be known and is answered 401 may have a wrong credential: that says nothing of the role."""
    seen = Seen(Contract(), (exchange(401),))
    assert [*Refused().judge(seen)] == []
    assert ["credential_env" in one for one in Refused().find_unjudged(seen)] == [True]
    assert [*Refused().find_unjudged(Seen(STRICT, (exchange(401),)))] == []


def test_not_called():
    """A call of the last step that changes something is found at the request during which it came; reading is none."""
    before, other, culprit = exchange(201, called=2), exchange(403, step=1, called=2), exchange(403, step=1, called=3)
    calls = StripeCalls(0, (call(), call())), StripeCalls(1, (call(),))
    assert kinds(NotCalled(), before, other, culprit, *calls) == [Kind.ACCESS_GRANTED]
    assert kinds(NotCalled(), before, other, StripeCalls(0, (call(),)), StripeCalls(1, (call("GET"),))) == []


def test_no_row_changed():
    """Tables that change with a request for nothing, and those for rejections, are no effect; others are."""
    usual = StoreChange(1, "db", (TableChange("keys", 1, 1),))
    last = StoreChange(2, "db", (TableChange("keys", 1, 1), TableChange("audit", 1, 0, rejection_log=True)))
    done = StoreChange(2, "db", (TableChange("customers", 1, 0),))
    assert kinds(NoRowChanged(), usual, exchange(403, step=2), last) == []
    assert kinds(NoRowChanged(), usual, exchange(403, step=2), done) == [Kind.ACCESS_GRANTED]
    assert kinds(NoRowChanged(by="method"), exchange(200, step=2), done) == [Kind.METHOD_EFFECT]


@pytest.mark.parametrize(
    ("foreign", "missing", "found"),
    [
        ((404, '{"error": "no sub_1Abc23"}'), (404, '{"error": "no sub_9Xyz87"}'), []),
        ((403, "{}"), (404, "{}"), [Kind.EXISTENCE_TOLD]),
        ((404, '{"error": "not yours"}'), (404, '{"error": "not there"}'), [Kind.EXISTENCE_TOLD]),
        ((200, '{"id": 1}'), (404, "{}"), []),
    ],
)
def test_same_answer(foreign, missing, found):
    """What is another's and what is not there differ in nothing but ids; what was done is another fault."""
    asking = Asking("subscribe", "neighbour", "foreign")
    pair = exchange(*foreign, asking=asking), exchange(*missing, asking=asking, role="nowhere")
    assert kinds(SameAnswer(), *pair) == found
    assert "median answer times" in SameAnswer().note(Seen(STRICT, pair))


def sign_in(status, promise, note="the right credential"):
    """Return an exchange of somebody who signs in."""
    made = exchange(status, asking=Asking("sign in", "guessed", promise))
    return Exchange(0, Sent("POST", made.sent.url, note, 0, "", asking=made.sent.asking), made.answer)


@pytest.mark.parametrize(
    ("seen", "lockout", "found"),
    [
        ((sign_in(401, "unknown", "wrong credential 1"), sign_in(401, "unknown"), sign_in(200, "allowed")), {}, []),
        ((sign_in(200, "unknown", "wrong credential 1"),), {}, [Kind.ACCESS_GRANTED]),
        ((sign_in(200, "unknown"),), {}, [Kind.LOCKOUT_MISSING]),
        ((sign_in(401, "allowed"),), {}, [Kind.LOCKOUT_SPREADS]),
        ((sign_in(401, "unknown"),), {"attempts": 11}, [Kind.LOCKOUT_WEAK]),
        ((sign_in(401, "unknown"),), {"seconds": 1799}, [Kind.LOCKOUT_WEAK]),
    ],
)
def test_locked_out(seen, lockout, found):
    """After the guesses nobody is let in, elsewhere as promised; a promise below PCI DSS 8.3.4 is found itself."""
    contract = Contract(lockout=Lockout("guessed", "POST", "/login", **lockout))
    assert kinds(LockedOut(), *seen, contract=contract) == found


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (StripeCalls(0, (call("POST", ("balance", str(NUMBER))),)), [Kind.VALUE_ASSIGNED]),
        (StripeCalls(0, (call("POST", ("description", f"with {TEXT}")),)), []),
        (StoreChange(0, "db", (), rows=(RowSeen("t", (("status", TEXT),)),)), [Kind.VALUE_ASSIGNED]),
        (StoreChange(0, "db", (), rows=(RowSeen("t", (("body", f'{{"status": "{TEXT}"}}'),)),)), []),
    ],
)
def test_not_assigned(seen, found):
    """A value that stands alone in a column or a parameter was set; within a text it is only kept."""
    assert kinds(NotAssigned(), seen) == found


def test_not_assigned_looks_through_all_rows():
    """Rows that were too many to be shown are unknown."""
    seen = Seen(STRICT, (StoreChange(0, "db", (), rows=None),))
    assert [*NotAssigned().find_unjudged(seen)] == ["too many rows changed to look through them"]


@pytest.mark.parametrize(
    ("check", "kind"), [(InputRefused(), Kind.INVALID_ACCEPTED), (CardRefused(), Kind.CARD_ACCEPTED)]
)
def test_what_should_be_refused_and_is_done(check, kind):
    """What is done is found; a refusal is none, and neither is what names no variant, such as a preparation."""
    assert kinds(check, exchange(201, '{"id": 1}', asking=None, variant="pay, -1")) == [kind]
    assert kinds(check, exchange(422, asking=None, variant="pay, -1"), exchange(201, asking=None)) == []


def test_card_not_sent():
    """A CVC in a call to Stripe is found by its name; ids are none."""
    assert kinds(CardNotSent(), StripeCalls(0, (call("POST", ("card[cvc]", "739")),))) == [Kind.CARD_DATA]
    assert kinds(CardNotSent(), StripeCalls(0, (call("POST", ("payment_method", "pm_1")),))) == []


def test_not_traced():
    """TRACE that sends a header back is found, one that is refused or answers something else is not."""
    traced = exchange(200, asking=None, method="TRACE")
    assert kinds(NotTraced(), traced, exchange(405, asking=None, method="TRACE")) == []
    back = Answer(200, (), "X-Payproof: x", 13, 0.0, echoes=("body",))
    assert kinds(NotTraced(), Exchange(0, traced.sent, back)) == [Kind.REQUEST_TRACED]


@pytest.mark.parametrize(
    ("body", "type_", "found"),
    [
        ("DB_PASSWORD=a\nAPI_KEY=b\n", "text/plain", 1),
        ("[core]\n\trepositoryformatversion = 0\n", "text/plain", 1),
        ("ref: refs/heads/main\n", "text/plain", 1),
        ("-- MySQL dump 10.13\n", "application/sql", 1),
        ("SQLite format 3\x00", "application/octet-stream", 1),
        ("<title>Index of /uploads/</title>", "text/html", 1),
        ('{"activeProfiles":[],"propertySources":[]}', "application/json", 1),
        ("<title>phpinfo()</title>", "text/html", 1),
        ("services:\n  app:\n    image: shop\n", "text/yaml", 1),
        ("<html><div id=app>ref: refs/heads/main A=1\nB=2</div></html>", "text/html", 0),
        ('{"status": "ok"}', "application/json", 0),
        ("# HELP requests_total\nrequests_total 3\n", "text/plain", 0),
        ('{"version": 3, "sources": [], "mappings": ""}', "application/json", 0),
        ("ok", "text/plain", 0),
    ],
)
def test_nothing_exposed(body, type_, found):
    """Files and pages of the machine are known by what they say; pages, health and metrics are none."""
    seen = exchange(200, body, asking=None, header=("content-type", type_), method="GET")
    assert kinds(NothingExposed(), seen) == [Kind.FILE_SHOWN] * found
    assert kinds(NothingExposed(), exchange(404, body, asking=None, header=("content-type", type_))) == []


def finished(*exchanges):
    """Return a case that was finished."""
    record = Record((), exchanges)
    return CaseFinished("access_control/role[a]", "", Severity.HIGH, Passed(("refused",)), record, 0.0, "")


def test_the_table_tells_the_gravest():
    """Each cell tells what came of all that was tried, the gravest first; what is as promised makes the table so."""
    may = exchange(201, '{"id": "sub_1"}', asking=Asking("subscribe", "manager", "allowed"))
    table = build_access_table(STRICT, [finished(exchange(403), exchange(404)), finished(may)])
    assert [*table.lines()][:3] == [
        "         subscribe",
        "manager  yes 201",
        "reader   ODD 403/404",
    ]
    assert not table.is_as_promised
    done = build_access_table(STRICT, [finished(exchange(403), exchange(200, '{"id": 1}'))])
    assert "reader  DONE 200/403" in [*done.lines()]
    assert build_access_table(STRICT, [finished(may, exchange(403))]).is_as_promised
