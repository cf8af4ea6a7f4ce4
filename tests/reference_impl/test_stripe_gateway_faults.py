"""Everything that can go wrong at Stripe, and the little that may be learned of it."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs

from payproof_reference.services.stripe import calls, sdk
from payproof_reference.services.stripe.breaker import Breaker, State
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.errors import AttemptFailedError, BillingError, Category, Failure
from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.services.stripe.retry import WRITES
from payproof_reference.services.stripe.snapshots import SubscriptionSnapshot

API_BASE = "https://api.stripe.com"
API_KEY = "sk_" + "test_" + "faults"
CUSTOMER = {"id": "cus_1", "object": "customer", "email": "someone@example.test", "name": "Some One"}
ITEM = {"id": "si_1", "object": "subscription_item", "price": {"id": "price_1"}, "current_period_end": 1_800_000_000}
SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "customer": "cus_1",
    "status": "active",
    "cancel_at_period_end": False,
    "items": {"object": "list", "data": [ITEM]},
}
# https://docs.stripe.com/declines/codes
DECLINE_CODES = [
    *("authentication_required", "approve_with_id", "call_issuer", "card_not_supported"),
    *("card_velocity_exceeded", "currency_not_supported", "do_not_honor", "do_not_try_again"),
    *("duplicate_transaction", "expired_card", "fraudulent", "generic_decline", "incorrect_number"),
    *("incorrect_cvc", "incorrect_pin", "incorrect_zip", "insufficient_funds", "invalid_account"),
    *("invalid_amount", "invalid_cvc", "invalid_expiry_month", "invalid_expiry_year", "invalid_number"),
    *("invalid_pin", "issuer_not_available", "lost_card", "merchant_blacklist"),
    *("new_account_information_available", "no_action_taken", "not_permitted", "offline_pin_required"),
    *("online_or_offline_pin_required", "pickup_card", "pin_try_exceeded", "processing_error"),
    *("reenter_transaction", "restricted_card", "revocation_of_all_authorizations"),
    *("revocation_of_authorization", "security_violation", "service_not_allowed", "stolen_card"),
    *("stop_payment_order", "testmode_decline", "transaction_not_allowed", "try_again_later"),
    "withdrawal_count_limit_exceeded",
]
CONNECTION_FAULTS = [
    *(httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout, httpx.ConnectError),
    *(httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.DecodingError),
]
UNREADABLE = {
    "malformed": b'{"id": "cus_1"',
    "html": b"<!doctype html><title>Bad gateway</title>",
    "empty": b"",
    "null": b"null",
    "list": b"[]",
    "bottomless": b"[" * 100_000,
    "not utf-8": b'{"id": "\xff"}',
}


@dataclass
class Time:
    """A clock that only waiting moves."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@dataclass(frozen=True)
class Bench:
    """The gateway on a scripted Stripe, with the time that it thinks passes."""

    gateway: LiveStripe
    connection: Connection
    breaker: Breaker
    stripe: respx.Router
    time: Time
    observed: list[tuple[str, str]]

    def answer(self, *answers: object, path: str = "/v1/customers", method: str = "POST") -> respx.Route:
        """Give the answers in turn, then the last one for ever."""
        turns = iter(answers)
        last: list[object] = []

        def next_one(request: httpx.Request) -> httpx.Response:
            last[:] = [next(turns, last[0] if last else None)]
            if isinstance(last[0], type):
                raise last[0]("synthetic", request=request)
            return last[0]

        return self.stripe.route(method=method, path=path).mock(side_effect=next_one)

    def create(self) -> str:
        return self.gateway.create_customer(reference="tenant_1", idempotency_key="operation_1").id

    def refused(self) -> BillingError:
        with pytest.raises(BillingError) as raised:
            self.create()
        return raised.value


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A gateway with nothing real behind it."""
    time = Time()
    breaker = Breaker(threshold=5, rest_seconds=15, clock=lambda: time.now)
    observed: list[tuple[str, str]] = []
    caller = Caller(
        breaker,
        sleep=time.sleep,
        clock=lambda: time.now,
        chance=lambda: 0.5,
        observe=lambda *seen: observed.append(seen),
    )
    with respx.mock(base_url=API_BASE, assert_all_called=False) as stripe:
        connection = Connection(SecretStr(API_KEY), caller, api_base=API_BASE)
        yield Bench(LiveStripe(connection), connection, breaker, stripe, time, observed)
        connection.close()


def error(status: int, headers: dict[str, str] | None = None, **fields: object) -> httpx.Response:
    """Build an error of Stripe's."""
    return httpx.Response(status, json={"error": {"message": "canary-message", **fields}}, headers=headers)


@pytest.mark.parametrize(
    ("status", "category", "requests"),
    [
        *((status, Category.INVALID_REQUEST, 1) for status in (400, 404, 405, 413, 422)),
        *((status, Category.CONFIGURATION, 1) for status in (401, 403)),
        (402, Category.CARD_DECLINED, 1),
        (409, Category.TEMPORARILY_UNAVAILABLE, WRITES.attempts),
        (424, Category.TEMPORARILY_UNAVAILABLE, 1),
        (429, Category.RATE_LIMITED, WRITES.attempts),
        *((status, Category.TEMPORARILY_UNAVAILABLE, WRITES.attempts) for status in (500, 502, 503, 504, 529)),
    ],
)
def test_status_is_categorised(bench, status, category, requests):
    """Each status leads to its category, and only what may pass is tried again."""
    route = bench.answer(error(status))
    refused = bench.refused()
    assert refused.category is category
    assert route.call_count == requests
    assert len(bench.time.waits) == requests - 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_never_is_never(bench, status):
    """What the request is to blame for is not tried again, not even where Stripe would."""
    route = bench.answer(error(status, {"Stripe-Should-Retry": "true", "Retry-After": "1"}))
    bench.refused()
    assert route.call_count == 1


@pytest.mark.parametrize("decline_code", DECLINE_CODES)
def test_decline_is_generic(bench, decline_code):
    """Every decline looks the same from outside, and its code is in the internal log."""
    bench.answer(error(402, type="card_error", code="card_declined", decline_code=decline_code))
    with capture_logs() as lines:
        refused = bench.refused()
    assert refused.category is Category.CARD_DECLINED
    assert refused.args == (refused.message,) == (str(BillingError(Category.CARD_DECLINED)),)
    assert decline_code not in repr(vars(refused)).replace(refused.category, "")
    assert lines[-1]["decline_code"] == decline_code
    assert lines[-1]["reference"] == refused.reference


@pytest.mark.parametrize(
    ("fields", "category"),
    [
        ({"type": "idempotency_error"}, Category.INVALID_REQUEST),
        ({"type": "card_error", "code": "incorrect_number"}, Category.CARD_DECLINED),
        ({"type": "invalid_request_error", "code": "rate_limit"}, Category.RATE_LIMITED),
        ({"type": "invalid_request_error", "code": "resource_missing"}, Category.INVALID_REQUEST),
    ],
)
def test_type_and_code_refine_the_category(bench, fields, category):
    """A status of 400 may hide a decline or a rate limit, and neither is tried again."""
    route = bench.answer(error(400, **fields))
    assert bench.refused().category is category
    assert route.call_count == 1


@pytest.mark.parametrize("fault", CONNECTION_FAULTS)
def test_lost_connection_is_retried_with_one_key(bench, fault):
    """A request whose fate is unknown is sent again under the same key, until one is answered."""
    route = bench.answer(fault, fault, httpx.Response(200, json=CUSTOMER))
    assert bench.create() == "cus_1"
    assert {call.request.headers["idempotency-key"] for call in route.calls} == {"operation_1"}
    assert len({call.request.content for call in route.calls}) == 1
    assert route.call_count == 3
    assert bench.observed == [("create_customer", result) for result in ("retried", "retried", "succeeded")]


@pytest.mark.parametrize("fault", CONNECTION_FAULTS)
def test_lost_connection_ends_as_unavailable(bench, fault):
    """Attempts and time are bounded."""
    route = bench.answer(fault)
    assert bench.refused().category is Category.TEMPORARILY_UNAVAILABLE
    assert route.call_count == WRITES.attempts
    assert bench.time.now <= WRITES.total_seconds


@pytest.mark.parametrize("status", [200, 201, 500])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_answer_is_retried(bench, status, body):
    """What is not a JSON object tells nothing, so the same key asks again."""
    route = bench.answer(httpx.Response(status, content=body), httpx.Response(200, json=CUSTOMER))
    assert bench.create() == "cus_1"
    assert route.call_count == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(bench, status):
    """The key is not carried to another place."""
    route = bench.answer(httpx.Response(status, headers={"Location": "https://elsewhere.test/v1/customers"}))
    assert bench.refused().category is Category.TEMPORARILY_UNAVAILABLE
    assert route.call_count == len(bench.stripe.calls) == 1


def test_retry_after_is_honoured(bench):
    """The wait is what Stripe asks for, and jitter on top."""
    bench.answer(error(429, {"Retry-After": "2"}), httpx.Response(200, json=CUSTOMER))
    bench.create()
    assert bench.time.waits == [2 + 0.5 * WRITES.base_seconds]


def test_retry_after_beyond_the_bound_ends_the_call(bench):
    """A long wait is left to the caller, who is told of it, and is never cut short."""
    route = bench.answer(error(429, {"Retry-After": "3600"}))
    refused = bench.refused()
    assert (refused.category, refused.retry_after) == (Category.RATE_LIMITED, 3600)
    assert route.call_count == 1


@pytest.mark.parametrize("value", ["-1", "1e9", "soon", "Fri, 31 Dec 2027 23:59:59 GMT", "9" * 40, "\u0661"])
def test_odd_retry_after_is_ignored(bench, value):
    """What is not a number of seconds leaves the backoff as it is."""
    answer = httpx.Response(503, json={}, headers=[(b"Retry-After", value.encode())])
    bench.answer(answer, httpx.Response(200, json=CUSTOMER))
    bench.create()
    assert bench.time.waits == [0.5 * WRITES.base_seconds]


def test_stripe_may_forbid_a_retry(bench):
    """A 500 that is stored under the key would only be replayed."""
    route = bench.answer(error(500, {"Stripe-Should-Retry": "false"}))
    assert bench.refused().category is Category.TEMPORARILY_UNAVAILABLE
    assert route.call_count == 1


def test_backoff_grows(bench):
    """Each wait doubles the one before."""
    bench.answer(error(500))
    bench.refused()
    assert bench.time.waits == [0.25, 0.5, 1.0]


def test_unexpected_object_is_not_success(bench):
    """A good status with another object is no result, says nothing of Stripe's health and is not repeated."""
    route = bench.answer(httpx.Response(200, json={"id": "canary", "object": "customer"}))
    for _ in range(10):
        assert bench.refused().category is Category.TEMPORARILY_UNAVAILABLE
    assert route.call_count == 10
    assert bench.breaker.state is State.CLOSED


def test_number_that_the_sdk_cannot_read_is_no_crash(bench):
    """The SDK's own failure on an answer is an unexpected object, and not an internal error."""
    item = ITEM | {"price": {"id": "price_1", "object": "price", "unit_amount_decimal": "abc"}}
    state = SUBSCRIPTION | {"items": {"object": "list", "data": [item]}}
    bench.answer(httpx.Response(200, json=state), path="/v1/subscriptions/sub_1", method="GET")
    with pytest.raises(BillingError) as raised:
        bench.gateway.retrieve_subscription("sub_1")
    assert raised.value.category is Category.TEMPORARILY_UNAVAILABLE


def test_canary_in_every_field_stays_inside(bench, caplog, capfd):
    """Nothing of Stripe's error reaches the exception, its chain, a log line or a stream."""
    caplog.set_level(logging.DEBUG)
    canary = "Canary-4242"
    names = ["type", "code", "decline_code", "message", "param", "doc_url", "request_log_url", "charge", "advice_code"]
    fields = dict.fromkeys(names, canary) | {"payment_method": {"id": canary}, "source": {"number": canary}}
    headers = {"Request-Id": canary, "Stripe-Notice": canary, "Retry-After": canary, "Stripe-Should-Retry": canary}
    bench.answer(httpx.Response(402, json={"error": fields}, headers=headers))
    with capture_logs() as lines:
        refused = bench.refused()
    assert refused.__cause__ is refused.__context__ is None
    shown = [str(refused), repr(refused), repr(vars(refused)), repr(lines), caplog.text, *capfd.readouterr()]
    assert not [text for text in shown if canary in text or API_KEY in text]


def test_telemetry_tells_of_the_request_before(bench):
    """Where it is wanted, a request names the one before it, and how long that took."""
    route = bench.answer(httpx.Response(200, json=CUSTOMER, headers={"Request-Id": "req_1"}))
    bench.connection.__dict__.pop("_client", None)
    bench.connection._telemetry = True
    try:
        bench.create()
        bench.create()
    finally:
        sdk.stripe.enable_telemetry = False
    told = json.loads(route.calls.last.request.headers["x-stripe-client-telemetry"])["last_request_metrics"]
    assert told["request_id"] == "req_1"
    assert set(told) <= {"request_id", "request_duration_ms", "usage"}


def test_notice_of_stripe_is_dropped(bench):
    """The SDK would print the header of a success, as a warning."""
    bench.answer(httpx.Response(200, json=CUSTOMER, headers={"Stripe-Notice": "canary"}))
    assert bench.create() == "cus_1"


def test_no_telemetry_is_sent_unless_it_is_asked_for(bench):
    """The second request tells Stripe nothing of the first, nor of this machine, as long as nobody wants that."""
    route = bench.answer(httpx.Response(200, json=CUSTOMER, headers={"Request-Id": "req_1"}))
    bench.create()
    bench.create()
    headers = route.calls.last.request.headers
    assert "x-stripe-client-telemetry" not in headers
    assert set(json.loads(headers["x-stripe-client-user-agent"])) <= {
        *("bindings_version", "lang", "httplib", "lang_version", "ai_agent"),
    }


def test_breaker_opens_and_recovers(bench):
    """After five outages in a row nobody is sent; after the rest one success brings everything back."""
    route = bench.answer(*[error(503)] * 5, httpx.Response(200, json=CUSTOMER))
    bench.refused()
    with capture_logs() as lines:
        bench.refused()
    assert lines[-1]["reason"] == "breaker_open"
    assert (route.call_count, bench.breaker.state) == (5, State.OPEN)
    assert bench.refused().category is Category.TEMPORARILY_UNAVAILABLE
    assert route.call_count == 5
    bench.time.now += 15
    assert bench.create() == "cus_1"
    assert bench.breaker.state is State.CLOSED


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 429])
def test_refusals_never_open_the_breaker(bench, status):
    """A Stripe that says no is a Stripe that works."""
    bench.answer(error(status))
    for _ in range(10):
        bench.refused()
    assert bench.breaker.state is State.CLOSED


def test_calls_at_once_are_bounded(bench, monkeypatch):
    """However slow Stripe is, some threads stay free for webhooks."""
    caller = Caller(Breaker())

    def nested(depth: int) -> str:
        return caller.call("nested", WRITES, lambda: nested(depth - 1) if depth else "reached")

    assert nested(calls.CALLS_AT_ONCE - 1) == "reached"
    with pytest.raises(BillingError) as raised:
        nested(calls.CALLS_AT_ONCE)
    assert raised.value.category is Category.TEMPORARILY_UNAVAILABLE
    assert nested(calls.CALLS_AT_ONCE - 1) == "reached"


@pytest.mark.parametrize(
    ("status", "state", "category"),
    [
        (200, SUBSCRIPTION | {"status": "canceled"}, None),
        (200, SUBSCRIPTION, Category.INVALID_REQUEST),
        (404, {"error": {"code": "resource_missing"}}, Category.INVALID_REQUEST),
        (503, {"error": {}}, Category.TEMPORARILY_UNAVAILABLE),
    ],
)
def test_cancellation_that_is_not_found_is_looked_up(bench, status, state, category):
    """Stripe knows no key of a DELETE, so its 404 may mean that the first attempt did it."""
    path = "/v1/subscriptions/sub_1"
    bench.answer(httpx.ReadTimeout, error(404, code="resource_missing"), path=path, method="DELETE")
    bench.answer(httpx.Response(status, json=state), path=path, method="GET")
    if category is None:
        assert bench.gateway.cancel_now("sub_1", idempotency_key="k").status == "canceled"
        return
    with pytest.raises(BillingError) as raised:
        bench.gateway.cancel_now("sub_1", idempotency_key="k")
    assert raised.value.category is category


def test_change_of_plan_exchanges_the_item(bench):
    """The item is named, or Stripe would bill both plans."""
    path = "/v1/subscriptions/sub_1"
    bench.answer(httpx.Response(200, json=SUBSCRIPTION), path=path, method="GET")
    route = bench.answer(httpx.Response(200, json=SUBSCRIPTION), path=path)
    bench.gateway.change_plan("sub_1", price_id="price_2", idempotency_key="k")
    sent = httpx.QueryParams(route.calls.last.request.content.decode())
    assert (sent["items[0][id]"], sent["items[0][price]"]) == ("si_1", "price_2")


@pytest.mark.parametrize("items", [[], [ITEM, ITEM | {"id": "si_2"}]])
def test_change_of_plan_needs_one_plan(bench, items):
    """Which of many plans is meant cannot be guessed, so nothing is changed."""
    path = "/v1/subscriptions/sub_1"
    bench.answer(httpx.Response(200, json=SUBSCRIPTION | {"items": {"data": items}}), path=path, method="GET")
    route = bench.answer(httpx.Response(200, json=SUBSCRIPTION), path=path)
    with pytest.raises(BillingError) as raised:
        bench.gateway.change_plan("sub_1", price_id="price_2", idempotency_key="k")
    assert raised.value.category is Category.INVALID_REQUEST
    assert not route.called


def test_answer_is_bounded_in_size(bench, monkeypatch):
    """An answer without end is not read to its end."""
    monkeypatch.setattr(sdk, "LARGEST_ANSWER", 10)
    bench.answer(httpx.Response(200, json=CUSTOMER))
    assert bench.refused().category is Category.TEMPORARILY_UNAVAILABLE


def test_answer_is_bounded_in_time():
    """An answer that comes byte by byte does not keep the thread."""
    with pytest.raises(AttemptFailedError) as raised:
        sdk.read_answer(httpx.Response(200, stream=httpx.ByteStream(b"{}")), deadline=0)
    assert raised.value.failure.reason == "too_slow"


KEYS = [
    *("id", "object", "error", "type", "code", "message", "items", "data", "customer", "status", "price", "metadata"),
    *("has_more", "url", "deleted", "payment_intent", "unit_amount_decimal", "cancel_at_period_end", "livemode"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=15,
)
OBJECTS = st.dictionaries(
    st.sampled_from(KEYS), JSON | st.sampled_from(["subscription", "list", "customer"]), max_size=8
)


@given(status=st.just(200) | st.integers(200, 599), document=JSON | OBJECTS)
def test_no_answer_escapes(status, document):
    """Whatever JSON arrives with whatever status, an attempt gives an object or a failure."""
    with respx.mock(base_url=API_BASE) as stripe:
        stripe.get("/v1/subscriptions/sub_1").respond(status, content=json.dumps(document))
        connection = Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=API_BASE)
        # The context is not what this is about, and loading it takes longest.
        connection.__dict__["_transport"] = sdk.Transport(httpx.Client(verify=False))
        connection.__dict__["_client"] = sdk.build_client(API_KEY, API_BASE, connection._transport)
        outcome = connection.attempt(SubscriptionSnapshot, lambda client: client.v1.subscriptions.retrieve("sub_1"))
        connection.close()
    assert isinstance(outcome, SubscriptionSnapshot | Failure)
