"""The rules around the calls: when to try again, whom to trust, what a key is worth, where Stripe may be."""

import http.server
import ssl
import threading
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from payproof_reference.services.stripe import sdk
from payproof_reference.services.stripe.breaker import Breaker, State
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.errors import BillingError, Category, Failure, FailureKind
from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.services.stripe.retry import NEVER, READS, WRITES, GiveUp, Policy, Retry, decide
from payproof_reference.settings import MisconfiguredError
from tests.reference_impl.stripe_twin import InMemoryStripe

API_BASE = "https://api.stripe.com"
API_KEY = "sk_" + "test_" + "rules"
FAILURES = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    status=st.none() | st.integers(100, 599),
    retry_after=st.none() | st.integers(0, 10**6),
    should_retry=st.none() | st.booleans(),
)
CHANCES = st.floats(0, 1, exclude_max=True)
POLICIES = st.sampled_from([READS, WRITES, Policy(attempts=10, attempt_seconds=1, total_seconds=60)])


@given(FAILURES, POLICIES, st.integers(1, 10**6), st.floats(0, 100), CHANCES, st.sampled_from(sorted(NEVER)))
def test_never_status_is_never_retried(failure, policy, attempt, spent, chance, status):
    """No header and no kind of failure makes a request worth repeating that is itself to blame."""
    blamed = Failure(failure.kind, status=status, retry_after=failure.retry_after, should_retry=failure.should_retry)
    assert decide(attempt, blamed, policy, spent=spent, chance=chance) == GiveUp()


@given(POLICIES, st.lists(st.tuples(FAILURES, CHANCES, st.floats(0, 1)), min_size=1))
def test_whole_of_an_operation_is_bounded(policy, attempts):
    """However attempts fail, their number and the time of all of them stay within the policy."""
    spent, number = 0.0, 1
    for failure, chance, share in attempts:
        spent += share * policy.attempt_seconds
        plan = decide(number, failure, policy, spent=spent, chance=chance)
        if plan == GiveUp():
            break
        assert isinstance(plan, Retry)
        assert (failure.retry_after or 0) <= plan.after_seconds <= (failure.retry_after or 0) + policy.cap_seconds
        spent += plan.after_seconds
        number += 1
    assert number <= policy.attempts
    assert spent <= policy.total_seconds


@given(st.integers(1, 8), CHANCES, CHANCES)
def test_waits_grow_with_chance_and_attempt(attempt, one, other):
    """More chance, or a later attempt, never makes a wait shorter."""
    policy = Policy(attempts=10, attempt_seconds=1, total_seconds=1000)
    failure = Failure(FailureKind.NO_ANSWER)

    def wait(attempt: int, chance: float) -> float:
        plan = decide(attempt, failure, policy, spent=0, chance=chance)
        assert isinstance(plan, Retry)
        return plan.after_seconds

    assert wait(attempt, min(one, other)) <= wait(attempt, max(one, other)) <= policy.cap_seconds
    assert wait(attempt, one) <= wait(attempt + 1, one)


def test_breaker_sends_one_probe_per_rest():
    """Half open, one caller goes ahead; if it fails, or never comes back, the next goes after another rest."""
    now = [0.0]
    breaker = Breaker(threshold=1, rest_seconds=15, clock=lambda: now[0])
    assert breaker.admit()
    breaker.report(outage=True)
    assert not breaker.admit()
    for failed in (True, False):
        now[0] += 15
        assert breaker.state is State.HALF_OPEN
        assert [breaker.admit() for _ in range(3)] == [True, False, False]
        if failed:
            breaker.report(outage=True)
            assert breaker.state is State.OPEN
    breaker.report(outage=False)
    assert breaker.state is State.CLOSED


def test_key_gives_the_first_result_again():
    """The same key does a thing once, and refuses to do another."""
    twin = InMemoryStripe({})
    first = twin.create_customer(reference="a", idempotency_key="k")
    assert twin.create_customer(reference="a", idempotency_key="k") == first
    with pytest.raises(BillingError) as raised:
        twin.create_customer(reference="b", idempotency_key="k")
    assert raised.value.category is Category.INVALID_REQUEST
    assert list(twin.customers.values()) == ["a"]


def test_lost_answer_is_found_under_its_key():
    """An answer that was lost is given when the key comes again, and the thing was done once."""
    twin = InMemoryStripe({})
    twin.replay.fail_next(Category.TEMPORARILY_UNAVAILABLE, after_effect=True)
    with pytest.raises(BillingError):
        twin.create_customer(reference="a", idempotency_key="k")
    assert twin.create_customer(reference="a", idempotency_key="k").id in twin.customers
    assert len(twin.customers) == 1


def test_decline_stays_under_its_key():
    """Stripe keeps a decline, so another card needs another key."""
    twin = InMemoryStripe({})
    twin.replay.fail_next(Category.CARD_DECLINED)
    for _ in range(2):
        with pytest.raises(BillingError) as raised:
            twin.create_customer(reference="a", idempotency_key="k")
        assert raised.value.category is Category.CARD_DECLINED
    assert twin.create_customer(reference="a", idempotency_key="k2").id in twin.customers


def test_twin_keeps_state():
    """Plan, cancellation, refund and invoices are remembered, and what cannot be is refused."""
    twin = InMemoryStripe({"price_1": 100, "price_2": 200})
    customer = twin.create_customer(reference="a", idempotency_key="1")
    made = [
        twin.create_subscription(customer_id=customer.id, price_id="price_1", idempotency_key=key) for key in ("2", "3")
    ]
    assert twin.change_plan(made[0].id, price_id="price_2", idempotency_key="4").price_id == "price_2"
    assert twin.cancel_at_period_end(made[0].id, idempotency_key="5").cancel_at_period_end
    assert not twin.resume(made[0].id, idempotency_key="6").cancel_at_period_end
    for key in ("7", "8"):
        assert twin.cancel_now(made[0].id, idempotency_key=key).status == "canceled"
    with pytest.raises(BillingError):
        twin.resume(made[0].id, idempotency_key="9")
    payment = next(iter(twin.paid))
    twin.create_refund(payment_intent_id=payment, amount=60, idempotency_key="10")
    with pytest.raises(BillingError):
        twin.create_refund(payment_intent_id=payment, amount=60, idempotency_key="11")
    assert twin.create_refund(payment_intent_id=payment, amount=None, idempotency_key="12").amount == 40
    page = twin.list_invoices(customer_id=customer.id, limit=1)
    rest = twin.list_invoices(customer_id=customer.id, limit=1, starting_after=page.data[0].id)
    assert (page.has_more, rest.has_more, page.data == rest.data) == (True, False, False)


@pytest.mark.parametrize(
    "address",
    [
        "http://api.stripe.com",
        "ftp://127.0.0.1",
        "api.stripe.com",
        "",
        "https://",
        "https://a:b@c.test",
        "https://c/v1",
    ],
)
def test_address_that_a_key_must_not_go_to_is_refused(address):
    """A secret key leaves this machine by HTTPS or not at all."""
    with pytest.raises(MisconfiguredError, match=r"^BILLING_STRIPE_API_BASE: "):
        Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=address)


def test_unusable_ca_file_is_refused(tmp_path):
    """A pin set that is missing, or is none, does not silently become another."""
    (tmp_path / "empty.pem").write_text("")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(MisconfiguredError, match=r"^BILLING_STRIPE_CA_FILE: "):
            Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=API_BASE, ca_file=tmp_path / name)


def test_log_of_the_sdk_is_refused(monkeypatch):
    """The SDK's own switch would print bodies to standard error."""
    monkeypatch.setenv("STRIPE_LOG", "debug")
    with pytest.raises(MisconfiguredError, match=r"^STRIPE_LOG: "):
        Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=API_BASE)


def test_default_roots_are_those_of_stripe():
    """Without a file, only the roots in the SDK's bundle count, and only from TLS 1.2 on."""
    context = sdk.build_context(None)
    assert 0 < len(context.get_ca_certs()) < 50
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every POST with a customer, and keeps its path."""

    def do_POST(self):
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b'{"id": "cus_1"}')

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.mark.parametrize(("host", "trusted"), [("127.0.0.1", True), ("127.0.0.1", False), ("elsewhere.test", True)])
def test_peer_is_verified(authority, tmp_path: Path, host, trusted):
    """A certificate of another root, or for another host, gets no request and is not tried again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    roots = tmp_path / "roots.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(roots)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.seen = []
        server.handle_error = lambda *_arguments: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"https://127.0.0.1:{server.server_port}"
        connection = Connection(SecretStr(API_KEY), Caller(Breaker()), api_base=base, ca_file=roots)
        gateway = LiveStripe(connection)
        if trusted and host == "127.0.0.1":
            assert gateway.create_customer(reference="a", idempotency_key="k").id == "cus_1"
            assert server.seen == ["/v1/customers"]
        else:
            with pytest.raises(BillingError) as raised:
                gateway.create_customer(reference="a", idempotency_key="k")
            assert raised.value.category is Category.CONFIGURATION
            assert server.seen == []
        connection.close()
        server.shutdown()
