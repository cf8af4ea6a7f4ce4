import asyncio
import json
import re
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from payproof_reference.database import tables
from payproof_reference.middleware.card_data import LONGEST_ADDRESS, LONGEST_BODY, CardData
from payproof_reference.services.identity.roles import Role
from payproof_reference.text import card_data, strict_json
from tests.reference_impl.callers import Application, bearer, new_tenant, new_token

# What numbers of each network begin with, and how many digits they have.
NETWORKS = {
    "Visa": (["4"], [13, 16, 19]),
    "Mastercard": (["51", "55", "2221", "2720"], [16]),
    "American Express": (["34", "37"], [15]),
    "Diners Club": (["300", "305", "36", "38"], [14, 16, 19]),
    "Discover": (["6011", "644", "65"], [16, 19]),
    "JCB": (["3528", "3589"], [16, 19]),
    "UnionPay": (["62", "81"], [16, 17, 18, 19]),
    "Maestro": (["5018", "5893", "6304", "6759"], [13, 14, 15, 16, 17, 18, 19]),
    "Mir": (["2200", "2204"], [16, 19]),
    "RuPay": (["60", "65", "82", "508"], [16]),
    "Troy": (["9792"], [16]),
    "Napas": (["9704"], [16, 19]),
    "UATP": (["1"], [15]),
}
SEPARATORS = ["", " ", "-", "\u00a0", "\u2009", "\u2013", "\t"]
CARD = "4242" * 4


def check_digit(digits):
    total = sum(sum(divmod(int(digit) * (2 - index % 2), 10)) for index, digit in enumerate(reversed(digits)))
    return str(-total % 10)


@st.composite
def card_numbers(draw):
    prefixes, lengths = NETWORKS[draw(st.sampled_from(sorted(NETWORKS)))]
    prefix, length = draw(st.sampled_from(prefixes)), draw(st.sampled_from(lengths))
    rest = draw(st.text("0123456789", min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    return prefix + rest + check_digit(prefix + rest)


@st.composite
def written(draw):
    """A card number as somebody writes it: in groups of any size, with other text and other numbers around it."""
    digits, separator = draw(card_numbers()), draw(st.sampled_from(SEPARATORS))
    cuts = sorted(draw(st.sets(st.integers(1, len(digits) - 1))))
    number = separator.join(digits[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True))
    before = draw(st.sampled_from(["", "card ", "id_", "no. 5 ", "2026-11-23 ", "x", "12/29 "]))
    return before + number + draw(st.sampled_from(["", ".", " 12/29", " 123", "x", "_", '"']))


SCALARS = st.none() | st.booleans() | st.integers(0, 999) | st.sampled_from(["", "cus_1", "note", "eur"])


def nested(values):
    """Documents of JSON in which a value stands somewhere, or is the name of a field."""

    def deeper(inner):
        lists = st.tuples(st.lists(SCALARS, max_size=2), inner).map(lambda pair: [*pair[0], pair[1]])
        objects = st.tuples(st.sampled_from(["a", "note", "data"]), inner).map(lambda pair: {"z": 1, pair[0]: pair[1]})
        return lists | objects

    return st.recursive(values | values.map(lambda value: {str(value): None}), deeper, max_leaves=6)


@given(nested(written() | card_numbers().map(int) | card_numbers().map(lambda digits: -int(digits))))
def test_card_number_is_found_wherever_it_stands(document):
    """Any number of any network, written in any way, at any depth, as text, number or name of a field."""
    for body in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
        assert card_data.holds_card_data(strict_json.parse(body.encode()))


@given(card_numbers())
def test_card_number_is_found_in_other_spellings(digits):
    """Escapes, a fraction, and digits of another script are digits."""
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in digits)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in digits)
    for body in (f'"{escaped}"', f"{digits}.0", f'{{"a":"{wide}"}}'):
        assert card_data.holds_card_data(strict_json.parse(body.encode(), fraction=str))


IDS = st.from_regex(r"(sub|cus|in|pi|price|re|cs_test)_[A-Za-z0-9]{8,40}", fullmatch=True)
TIMES = st.integers(0, 4 * 10**9) | st.integers(10**12, 2 * 10**12 - 1) | st.datetimes().map(str)


@given(nested(IDS.filter(lambda text: not re.search(r"\d{13}", text)) | TIMES | st.integers(-(10**12) + 1, 10**12 - 1)))
def test_ids_times_and_amounts_are_not_card_numbers(document):
    """What this service is asked with every day passes."""
    assert not card_data.holds_card_data(strict_json.parse(json.dumps(document).encode()))


@pytest.mark.parametrize("digits", ["4242424242424241", "424242424242", "0" * 16, "4" * 40, "1700000000000"])
def test_other_digits_pass(digits):
    """A wrong check digit, too few or too many digits, and no network's beginning make no card number."""
    assert not card_data.holds_card_data(digits)


NAMES = [
    *("cvc", "CVC", "cvc2", "cvv", "cvv2", "cvn", "cid", "csc", "security_code", "securityCode", "card-cvc"),
    *("card_number", "cardNumber", "card number", "pan", "PAN", "track1", "track_2", "track2_data", "pin", "PIN-block"),
]


@pytest.mark.parametrize("name", NAMES)
def test_field_for_card_data_is_found_by_its_name(name):
    """A security code cannot be told by its digits; the name of the field tells, whatever its value."""
    for value in ("123", 123, None, {}):
        assert card_data.holds_card_data({"a": [{name: value}]})
    assert not card_data.holds_card_data({"a": name})


def test_own_names_are_not_taken_for_card_data():
    """No column and no field of this service has a name that would be refused."""
    names = [column.name for table in tables.metadata.sorted_tables for column in table.columns]
    for name in [*names, "customer_id", "price_id", "payment_intent_id", "idempotency_key", "return_url", "cancel_at"]:
        assert not card_data.holds_card_data({name: 1})


def test_long_rows_of_digits_are_looked_through_in_time():
    """The most work that the limits let in takes a fraction of a second."""
    begun = time.process_time()
    assert not card_data.holds_card_data("3 " * (LONGEST_BODY // 2))
    assert not card_data.holds_card_data("4" * LONGEST_BODY)
    assert time.process_time() - begun < 10


@pytest.fixture
def app(settings, engine):
    """The application, with small routes."""
    return Application.build(settings, engine)


@pytest.fixture
def tenant(owner):
    """A tenant."""
    return new_tenant(owner)


@pytest.fixture
def caller(owner, settings, tenant):
    """The credential of somebody who may do everything."""
    return new_token(owner, settings, Role.OWNER, tenant)


@pytest.fixture
def send(app, caller):
    """Send a body to a route that changes something."""

    def send(content, content_type="application/json", **headers):
        sent = bearer(caller) | {"Content-Type": content_type} | headers
        return app.request("POST", "/small/changes", content=content, headers=sent)

    return send


def body(**fields):
    return json.dumps({"customer": "cus_1"} | fields).encode()


REFUSED = [
    ("POST", "/small/changes", {"content": body(note=CARD)}),
    ("POST", "/small/changes", {"content": body(amount=int(CARD))}),
    ("POST", "/small/changes", {"content": body(deep=[{"x": [{"4242 4242 4242 4242": 1}]}])}),
    ("POST", "/small/changes", {"content": b'{"amount": 9792000000000003.0}'}),
    ("POST", "/small/changes", {"content": body(card={"cvc": "123"})}),
    ("POST", "/nowhere", {"content": body(note=CARD)}),
    ("GET", "/small/billing", {"content": body(note=CARD)}),
    ("GET", f"/small/billing/{CARD}", {}),
    ("GET", f"/small/billing/{quote('4242 4242 4242 4242')}", {}),
    ("GET", f"/small/billing?a={quote_plus('4242 4242 4242 4242')}", {}),
    ("GET", f"/small/billing?{CARD}", {}),
    ("GET", "/small/billing?card%5Fnumber=1", {}),
    ("GET", "/small/billing?cvc", {}),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("method", "path", "options"), REFUSED)
def test_card_data_is_refused_wherever_it_is_sent(app, caller, method, path, options):
    """Body, path and query of any request, whether there is such a route or not: one generic answer, and no echo."""
    headers = bearer(caller) | {"Content-Type": "application/json"}
    with capture_logs() as lines:
        answer = app.request(method, path, headers=headers, **options)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "bad_request", "message": "The request could not be understood."}}
    assert lines == [
        {
            "event": "card_data_refused",
            "actor": f"credential:{caller.credential_id}",
            "origin": "127.0.0.1",
            "log_level": "warning",
        }
    ]


def test_refused_card_data_is_recorded_without_it(app, send, engine, caller, tenant):
    """The audit log names who sent card data, and nothing in the database holds any of it."""
    with capture_logs():
        send(body(note=CARD))
        app.request("GET", f"/health?a={CARD}")
    with engine.connect() as connection:
        recorded = connection.execute(tables.audit_log.select().order_by(tables.audit_log.c.sequence)).mappings().all()
        held = [str(connection.execute(table.select()).all()) for table in tables.metadata.sorted_tables]
    assert [(row["event"], row["actor"], row["result"], row["origin"], row["tenant_id"]) for row in recorded] == [
        ("card_data_refused", f"credential:{caller.credential_id}", "refused", "127.0.0.1", tenant),
        ("card_data_refused", "anonymous", "refused", "127.0.0.1", None),
    ]
    assert {(row["reason"], row["object_id"], row["reference"]) for row in recorded} == {(None, None, None)}
    assert "4242" not in str(held)


def test_refusal_stands_when_it_cannot_be_recorded(send, owner):
    """Card data is refused while the audit log refuses, and the log of the service says so."""
    with owner.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit_anchors")
    with capture_logs() as lines:
        assert send(body(note=CARD)).status_code == 400
    assert [line["event"] for line in lines] == ["audit_failed", "card_data_refused"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON ; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_other_bodies_reach_the_route(send, content_type):
    """What was looked through is handed on whole, to the last byte."""
    note = "ü" * 600
    answer = send(body(note=note, amount=999_999_999_999), content_type)
    assert (answer.status_code, answer.json()["note"]) == (200, note)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        *(
            (kind, {})
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/xml")
        ),
        *(
            (kind, {})
            for kind in ("application/json; charset=utf-16", "application/jsonx", "application/vnd.a+json", "")
        ),
        *(("application/json", {"Content-Encoding": coding}) for coding in ("gzip", "identity", "")),
    ],
)
def test_body_of_another_kind_is_refused(send, content_type, headers):
    """Forms, compressed bodies and other encodings are refused unread, card data in them or not."""
    with capture_logs() as lines:
        assert send(b"customer=cus_1&note=" + CARD.encode(), content_type, **headers).status_code == 415
        assert send(body(), content_type, **headers).status_code == 415
    assert lines == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_two_content_types_are_refused(app, caller):
    """Two headers leave open how the body is to be read."""
    headers = [*bearer(caller).items(), *[("Content-Type", "application/json")] * 2]
    assert app.request("POST", "/small/changes", content=body(), headers=headers).status_code == 415


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "content",
    [
        *(b"{", b"nonsense", b'{"customer":"cus_1","customer":"cus_2"}', b'{"customer":NaN}', b'{"a":-Infinity}'),
        *(b'{"customer":"\xff"}', b"\xef\xbb\xbf{}", '{"customer":"cus_1"}'.encode("utf-16"), b"[" * 4000),
    ],
)
def test_body_that_is_no_json_is_refused(send, content):
    """What parsers read differently, or not at all, is answered 400 and reaches no route."""
    answer = send(content)
    assert answer.status_code == 400
    assert answer.json() == {"error": {"code": "bad_request", "message": "The request could not be understood."}}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nesting_is_no_shelter(send):
    """As deep as a document may be, it is looked through to the ground."""
    for depth in range(50, 600, 50):
        assert send(b'{"a":' * depth + b'"' + CARD.encode() + b'"' + b"}" * depth).status_code == 400


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("announced", [True, False])
def test_long_body_is_refused_before_it_is_read(send, announced):
    """The limit holds for an announced length and for a stream, of which no more is taken than the limit."""
    taken = []

    async def chunks():
        for number in range(100):
            taken.append(number)
            yield b" " * 1024

    assert send(b" " * (LONGEST_BODY + 1) if announced else chunks()).status_code == 413
    assert len(taken) <= 5


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_long_address_is_refused(app, caller):
    """Path and query together have a limit too."""
    answers = [
        app.request("GET", f"/small/billing?a={'x' * length}", headers=bearer(caller))
        for length in (LONGEST_ADDRESS - len("/small/billinga="), LONGEST_ADDRESS)
    ]
    assert [answer.status_code for answer in answers] == [200, 414]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_request_without_a_body_needs_no_content_type(app, caller):
    """A GET passes as it is; a body that is missing is for the route to miss."""
    assert app.request("GET", "/small/billing", headers=bearer(caller)).status_code == 200
    assert app.request("POST", "/small/changes", headers=bearer(caller)).status_code == 422


def test_what_comes_after_the_body_comes_through():
    """The route still hears that the client has gone."""
    sent = [{"type": "http.request", "body": b"{}", "more_body": False}, {"type": "http.disconnect"}]
    left, heard = iter(sent), []

    async def receive():
        return next(left)

    async def route(_scope, inner, _send):
        heard.extend([await inner(), await inner()])

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "GET", "path": "/a", "query_string": b"", "headers": headers}
    asyncio.run(CardData(route)(scope, receive, None))
    assert heard == sent
