"""The double against Stripe's own OpenAPI: what it accepts, stripe-mock accepts; what it answers, the schemas allow."""

import http.client
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.adapters.upstream import stripe_mock
from payproof.stripe.api import ApiAnswer, ApiRequest
from payproof.stripe.double import OPERATIONS, find_route
from payproof.stripe.double.relations import KINDS
from tests.components import need
from tests.double import NEWEST, OLDEST, Driver
from tests.openapi import (
    FIXTURES,
    STRIPE_MOCK,
    answer_schema,
    faults,
    installed_stripe_mock,
    openapi,
    parameters,
    written,
)
from tests.story import tell

VERSIONS = (OLDEST, NEWEST)
BOGUS = "xx_payproof"


@pytest.fixture(autouse=True)
def _specification() -> None:
    for api_version in VERSIONS:
        need(f"stripe-mock {STRIPE_MOCK[api_version]} through Go", bool(openapi(api_version)))


@dataclass
class Mock:
    """A running stripe-mock."""

    connection: http.client.HTTPConnection

    def status(self, request: ApiRequest) -> tuple[int, bytes]:
        """Return what it says of a call."""
        path = request.path + (f"?{request.query}" if request.query else "")
        headers = {"Authorization": request.headers["authorization"]}
        if request.method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(request.method, path, request.body or None, headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            self.connection.close()
            raise AssertionError(f"stripe-mock gave no answer to {request.method} {path} {request.body!r}") from None


@pytest.fixture(scope="module")
def mocks() -> Iterator[Mapping[str, Mock]]:
    """One stripe-mock for each shape, whose OpenAPI is of exactly that version, and the one of the PATH."""
    programs: dict[str, Any] = {version: installed_stripe_mock(version) for version in VERSIONS}
    programs["PATH"] = shutil.which("stripe-mock")
    need("stripe-mock", all(programs.values()))
    with ExitStack() as stack:
        running = {name: stack.enter_context(stripe_mock(program=str(path))) for name, path in programs.items()}
        found = {}
        for name, backend in running.items():
            connection = http.client.HTTPConnection(urlsplit(backend.url).netloc, timeout=30)
            stack.callback(connection.close)
            found[name] = Mock(connection)
        yield found


@pytest.fixture(scope="module", params=VERSIONS)
def told(request: pytest.FixtureRequest) -> Driver:
    """A merchant's whole day, in each shape."""
    driver = Driver(api_version=request.param)
    tell(driver)
    return driver


def wrong_answer(driver: Driver, request: ApiRequest, answer: ApiAnswer) -> list[str]:
    """Return what is wrong with an answer by Stripe's schemas."""
    name, _ = find_route(request)
    if answer.status == 200:
        return [
            f"{name} {fault}"
            for fault in faults(driver.api_version, answer_schema(driver.api_version, name), answer.json())
        ]
    return [f"{name} {answer.status} {fault}" for fault in faults(driver.api_version, "error", answer.json())]


def wrong_events(driver: Driver) -> list[str]:
    """Return what is wrong with the events that the double would send."""
    found = []
    for event in driver.double.take_events():
        subject = event.content["data"]["object"]
        found += [f"{event.type} {fault}" for fault in faults(driver.api_version, subject["object"], subject)]
        found += [f"{event.type} {fault}" for fault in faults(driver.api_version, "event", event.content)]
    return found


@pytest.mark.parametrize("api_version", VERSIONS)
def test_parameters_are_those_of_the_specification(api_version):
    """The file of an API version is what Stripe's OpenAPI says of the double's operations."""
    assert (FIXTURES / "api" / f"{api_version}.json").read_text() == written(parameters(api_version))


def test_every_operation_is_played(told):
    """The day holds each operation that the API version has, so that the checks below are of all of them."""
    played = {find_route(request)[0] for request, _ in told.called}
    assert played == parameters(told.api_version).keys()
    assert parameters(OLDEST).keys() | parameters(NEWEST).keys() == OPERATIONS.keys()


def test_answers_fit(told):
    """Each answer has the fields, types and values that Stripe's OpenAPI gives it, and no others."""
    assert [fault for call in told.called for fault in wrong_answer(told, *call)] == []


def test_events_fit(told):
    """Each event's object has them too."""
    assert wrong_events(told) == []


def test_stripe_mock_accepts_the_day(told, mocks):
    """What the double accepts, the stripe-mock of that API version accepts."""
    refused = [
        (find_route(request), said)
        for request, answer in told.called
        if answer.status == 200 and (said := mocks[told.api_version].status(request))[0] != 200
    ]
    assert refused == []


def test_installed_stripe_mock_accepts_the_day(mocks):
    """So does the stripe-mock that CI installs, whose API version lies between the two."""
    driver = Driver()
    tell(driver)
    refused = [
        (find_route(request), said)
        for request, answer in driver.called
        if answer.status == 200 and (said := mocks["PATH"].status(request))[0] != 200
    ]
    assert refused == []


@pytest.mark.parametrize("api_version", VERSIONS)
def test_what_stripe_mock_refuses_is_refused(mocks, api_version):
    """With a parameter too many, or one of another type, the double takes no call that stripe-mock refuses."""
    driver = Driver(api_version=api_version)
    tell(driver)
    refused, wrong = 0, []
    for request, answer in driver.called[:]:
        if answer.status != 200:
            continue
        for form in spoiled(request.form):
            body = {"body": form.encode()} if request.method == "POST" else {"query": form}
            bad = replace(request, headers={"authorization": request.headers["authorization"]}, **body)
            taken = driver.double.answer(bad).status == 200
            refused += not taken
            if taken and (said := mocks[api_version].status(bad))[0] != 200:
                wrong.append((find_route(request)[0], form, said))
    assert wrong == []
    assert refused > len(driver.called)


def spoiled(form: str) -> Iterator[str]:
    """Yield a form with a parameter too many, and with each value in turn as a text, an object and a list."""
    yield f"{form}&payproof=1".lstrip("&")
    pairs = form.split("&") if form else []
    for number, pair in enumerate(pairs):
        name = pair.partition("=")[0]
        for other in (f"{name}=payproof", f"{name}%5Bpayproof%5D=1", f"{name}%5B0%5D=1"):
            yield "&".join([*pairs[:number], other, *pairs[number + 1 :]])


# What a parameter of a name refers to; without an entry it is its own value.
REFERS = {
    **{
        name: name for name in ("customer", "charge", "invoice", "payment_intent", "payment_method", "price", "product")
    },
    "default_payment_method": "payment_method",
    "default_price": "price",
    "subscription": "subscription",
    "subscription_item": "subscription_item",
    "test_clock": "test_helpers.test_clock",
    "source": "payment_method",
    "token": "payment_method",
}
TOKENS = ("pm_card_visa", "tok_visa", "pm_card_visa_chargeDeclined", "pm_card_threeDSecure2Required")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
SMALL = st.sampled_from([1, 2, 3, 10, 50, 100]).map(str)
NUMBERS = SMALL | SMALL | st.sampled_from(["1000", "1900500000", "0", "-1"])
# What only gets in the way: most calls with it are refused, as they are at Stripe.
HINDERS = {"client_secret", "ending_before", "expand", "off_session", "starting_after"}
# What makes calls succeed, so that the state grows; the rest is drawn less often.
LIKELY = {
    *("amount", "auto_advance", "cancel_at_period_end", "card", "confirm", "currency", "customer", "description"),
    *(
        "default_payment_method",
        "id",
        "interval",
        "items",
        "invoice",
        "limit",
        "line_items",
        "metadata",
        "mode",
        "name",
    ),
    *("payment_behavior", "payment_method", "price", "product", "proration_behavior", "quantity", "recurring"),
    *("return_url", "source", "subscription", "success_url", "token", "trial_period_days", "type", "unit_amount"),
}
# What the double asks for though the schema, which is of many ways to call, does not.
NEEDED = {
    "POST /v1/charges": ("amount", "currency", "source"),
    "POST /v1/checkout/sessions": ("line_items", "mode", "success_url"),
    "POST /v1/billing_portal/sessions": ("customer",),
    "POST /v1/invoiceitems": ("amount", "currency", "customer"),
    "POST /v1/invoices": ("customer",),
    "POST /v1/payment_methods": ("card",),
    "POST /v1/payment_methods/{}/attach": ("customer",),
    "POST /v1/plans": ("amount", "product"),
    "POST /v1/prices": ("product", "unit_amount"),
    "POST /v1/refunds": ("charge",),
    "POST /v1/subscription_items": ("price",),
    "POST /v1/subscriptions": ("customer", "items"),
}
NEEDED_WITHIN = {"card": ("token",), "items": ("price",), "line_items": ("price", "quantity")}
KIND_OF_PATH = {
    "accounts": "account",
    "balance_transactions": "balance_transaction",
    "charges": "charge",
    "coupons": "coupon",
    "credit_notes": "credit_note",
    "customers": "customer",
    "disputes": "dispute",
    "events": "evt",
    "refunds": "refund",
    "invoiceitems": "invoiceitem",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "payment_intents": "payment_intent",
    "early_fraud_warnings": "radar.early_fraud_warning",
    "payment_methods": "payment_method",
    "payouts": "payout",
    "plans": "price",
    "promotion_codes": "promotion_code",
    "setup_intents": "setup_intent",
    "subscription_schedules": "subscription_schedule",
    "prices": "price",
    "products": "product",
    "sessions": "checkout.session",
    "tax_ids": "tax_id",
    "test_clocks": "test_helpers.test_clock",
    "subscription_items": "subscription_item",
    "subscriptions": "subscription",
}


PREVIEWS = ("/v1/invoices/create_preview", "/v1/invoices/upcoming")
CURRENCIES = st.sampled_from(["usd", "usd", "eur"])
SHAPES = {
    "boolean": st.sampled_from(["true", "false"]),
    "decimal": st.sampled_from(["10", "0.5"]),
    "integer": NUMBERS,
    "number": st.sampled_from(["0", "1.5", "20"]),
}


def scalars(name: str, schema: Mapping[str, Any], driver: Driver) -> st.SearchStrategy[str]:
    """Return what may stand for a scalar, in the form of a parameter."""
    kind = REFERS.get(name)
    if kind is not None and schema.get("type") == "string" and "enum" not in schema:
        return st.sampled_from([*(ids(driver, kind) * 4), *(TOKENS if kind == "payment_method" else ()), BOGUS])
    if "enum" in schema:
        return st.sampled_from([str(one) for one in schema["enum"]])
    shape = "decimal" if schema.get("format") == "decimal" else schema.get("type")
    texts = TEXTS.map(lambda text: text[: schema.get("maxLength", 12)])
    shown = CURRENCIES if name == "currency" and shape == "string" else texts
    return SHAPES.get(str(shape), shown)


def values(name: str, schema: Mapping[str, Any], driver: Driver, depth: int = 0) -> st.SearchStrategy[Any]:
    """Return what may stand for a parameter by its schema: all of it valid, not all of it sensible."""
    if "anyOf" in schema:
        return st.one_of([values(name, choice, driver, depth) for choice in schema["anyOf"]])
    if schema.get("type") == "array":
        return st.lists(values(name, schema["items"], driver, depth + 1), min_size=1, max_size=2)
    if schema.get("type") == "object":
        return objects(schema, driver, depth=depth + 1, needed=NEEDED_WITHIN.get(name, ()))
    return scalars(name, schema, driver)


@st.composite
def objects(
    draw: st.DrawFn, schema: Mapping[str, Any], driver: Driver, *, depth: int, needed: Sequence[str]
) -> dict[str, Any]:
    """Draw an object: what is required or needed, and some of the rest."""
    known = {name: one for name, one in schema.get("properties", {}).items() if name not in HINDERS}
    if not known:
        others = schema.get("additionalProperties")
        if others is None:
            return {}
        return draw(st.dictionaries(st.sampled_from("abc"), scalars("", others, driver), min_size=1, max_size=2))
    required = [*schema.get("required", ()), *(name for name in needed if name in known and draw(OFTEN))]
    likely = [name for name in known if name in LIKELY] or list(known)
    names = st.sampled_from(likely) | st.sampled_from(list(known))
    chosen = draw(st.lists(names, min_size=0 if required or not depth else 1, max_size=2 if depth else 4, unique=True))
    return {name: draw(values(name, known[name], driver, depth)) for name in dict.fromkeys([*required, *chosen])}


OFTEN = st.sampled_from([True] * 9 + [False])


def ids(driver: Driver, kind: str) -> list[str]:
    """Return the newest ids of a kind that the answers have shown."""
    prefix = next((prefix for prefix, name in KINDS.items() if name == kind), kind)
    return driver.shown(prefix)[-5:]


def play(data: st.DataObject, driver: Driver, name: str) -> tuple[ApiRequest, ApiAnswer]:
    """Make one call with parameters that its schema allows."""
    schemas = parameters(driver.api_version)
    method, _, path = name.partition(" ")
    if "{}" in path:
        kind = KIND_OF_PATH[path.split("/{}")[0].rpartition("/")[2]]
        path = path.replace("{}", data.draw(st.sampled_from([*(ids(driver, kind) * 4), BOGUS])))
    params = data.draw(objects(schemas[name], driver, depth=0, needed=NEEDED.get(name, ())))
    driver.send(f"{method} {path}", **params)
    return driver.called[-1]


def begun(api_version: str) -> Driver:
    """Have one of each kind that calls refer to; a copy takes a fifth of the time that it takes to make them."""
    return deepcopy(make_begun(api_version))


@cache
def make_begun(api_version: str) -> Driver:
    driver = Driver(api_version=api_version, card="pm_card_visa")
    for amount in (500, 900):
        described = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "P"}}
        driver("POST /v1/prices", recurring={"interval": "month"}, **described)
    for number in range(3):
        driver("POST /v1/products", name=f"Without a price {number}")
    driver("POST /v1/prices", currency="usd", unit_amount=100, product_data={"name": "Q"})
    customer = driver("POST /v1/customers", name="A")["id"]
    driver("GET /v1/payment_methods", customer=customer)
    card = {"amount": 1000, "currency": "usd", "source": "tok_createDispute"}
    driver("GET /v1/charges/" + driver("POST /v1/charges", **card)["id"])
    driver("GET /v1/disputes")
    driver("POST /v1/charges", **card | {"capture": False, "source": "tok_visa"})
    driver("POST /v1/refunds", charge=driver("POST /v1/charges", **card | {"source": "tok_visa"})["id"], amount=1)
    driver("POST /v1/payment_intents", amount=1000, currency="usd")
    driver("POST /v1/subscriptions", customer=customer, items=[{"price": one} for one in ids(driver, "price")[:2]])
    driver("POST /v1/invoiceitems", customer=customer, amount=100, currency="usd")
    invoice = driver("POST /v1/invoices", customer=customer, pending_invoice_items_behavior="include")
    driver(f"POST /v1/invoices/{invoice['id']}/finalize")
    driver("POST /v1/invoiceitems", customer=customer, amount=100, currency="usd")
    driver("POST /v1/invoices", customer=customer)
    driver("POST /v1/invoices", customer=customer, collection_method="send_invoice", days_until_due=5)
    items = [{"price": ids(driver, "price")[-1], "quantity": 1}]
    urls = dict.fromkeys(("cancel_url", "success_url"), "https://shop.test/")
    driver("POST /v1/checkout/sessions", mode="payment", line_items=items, **urls)
    coupon = driver("POST /v1/coupons", id="coupon_begun0123456789", percent_off=5, duration="once")["id"]
    promoted = {"promotion": {"type": "coupon", "coupon": coupon}} if api_version == NEWEST else {"coupon": coupon}
    driver("POST /v1/setup_intents", payment_method="pm_card_visa")
    driver("POST /v1/promotion_codes", customer=customer, **promoted)
    driver("POST /v1/test_helpers/test_clocks", frozen_time=1_900_000_000)
    driver("GET /v1/events")
    if api_version == NEWEST:
        driver("GET /v1/invoice_payments")
    driver.double.take_events()
    return driver


def call_and_check(data: st.DataObject, driver: Driver, mock: Mock, name: str) -> bool:
    """Make a call; return whether it was accepted, and fail where an answer or stripe-mock says otherwise."""
    driver.clock.now += data.draw(st.sampled_from([0, 0, 60, 86_400, 40 * 86_400]))
    request, answer = play(data, driver, name)
    assert wrong_answer(driver, request, answer) == []
    if answer.status != 200:
        return False
    status, said = mock.status(request)
    assert status == 200, said
    return True


def unsettable(api_version: str, name: str) -> list[str]:
    """Return the parameters of an operation that an empty value takes away, by its schema."""
    schema = parameters(api_version).get(name, {"properties": {}})
    return [
        param
        for param, one in schema["properties"].items()
        if any(choice.get("enum") == [""] for choice in one.get("anyOf", ()))
    ]


@pytest.mark.parametrize(
    ("api_version", "name"),
    [
        (version, name)
        for version in VERSIONS
        for name in sorted(OPERATIONS)
        if name.startswith("POST") and name.endswith("/{}")
    ],
)
def test_an_empty_value_unsets(mocks, api_version, name):
    """What the schema lets an empty value take away is gone from the object, and stripe-mock takes the call too."""
    driver = begun(api_version)
    path = name.removesuffix("/{}")
    kind = KIND_OF_PATH[path.rpartition("/")[2]]
    for param in unsettable(api_version, name):
        tried = (driver.send(f"{path}/{one}", **{param: ""}) for one in ids(driver, kind))
        answer = next((answer for answer in tried if answer.status == 200), None)
        assert answer is not None, f"{param} cannot be unset"
        shown = answer.json().get(param)
        assert not shown or shown == {"tip": {}}, param  # which every PaymentIntent has in amount_details
        request, _ = driver.called[-1]
        assert wrong_answer(driver, request, answer) == []
        assert mocks[api_version].status(request)[0] == 200, param


# What one of the two API versions does not have.
CAME_OR_WENT = (
    *("/v1/invoice_payments", "/v1/products/{}/features", "/v1/subscriptions/{}/resume", "/v1/tax_ids"),
    *PREVIEWS,
)


@pytest.mark.parametrize(
    ("api_version", "name"), [(version, name) for version in VERSIONS for name in sorted(OPERATIONS)]
)
def test_operation(mocks, api_version, name):
    """Whatever its parameters and whatever was before: it does not crash, fits the schemas, and stripe-mock agrees."""
    if name not in parameters(api_version):
        assert name.partition(" ")[2].startswith(CAME_OR_WENT)
        return
    accepted = 0

    def played(data: st.DataObject) -> None:
        nonlocal accepted
        driver = begun(api_version)
        for earlier in data.draw(st.lists(st.sampled_from(sorted(parameters(api_version))), max_size=2)):
            call_and_check(data, driver, mocks[api_version], earlier)
        accepted += call_and_check(data, driver, mocks[api_version], name)
        assert wrong_events(driver) == []

    # That nothing was wrong means little where nothing was accepted: then it is tried more often, but for what chance
    # hardly comes to, which the day above has.
    for examples in (5,) if name in RARELY else (5, 60):
        if not accepted:
            settings(max_examples=examples)(given(data=st.data())(played))()
    assert accepted or name in RARELY, "no example was accepted"


# What takes a state that a few calls at random hardly come to; the day above holds each.
RARELY = {
    # Only delivered events have them.
    *("GET /v1/accounts/{}", "GET /v1/balance_transactions/{}", "GET /v1/credit_notes/{}", "GET /v1/payouts/{}"),
    *("GET /v1/radar/early_fraud_warnings/{}", "GET /v1/subscription_schedules/{}"),
    *("GET /v1/accounts/{}/external_accounts", "GET /v1/accounts/{}/external_accounts/{}"),
    # An owner and what is its own.
    *("GET /v1/charges/{}/refunds/{}", "GET /v1/customers/{}/payment_methods/{}", "GET /v1/customers/{}/sources/{}"),
    *("GET /v1/customers/{}/subscriptions/{}", "GET /v1/customers/{}/tax_ids/{}", "GET /v1/tax_ids/{}"),
    # A coupon that is there, and a payment that can be confirmed.
    *("POST /v1/payment_intents/{}/confirm", "POST /v1/promotion_codes"),
    # A subscription whose trial has ended without a card.
    "POST /v1/subscriptions/{}/resume",
    # A query is a language of its own.
    *(name for name in OPERATIONS if name.endswith("/search")),
}
