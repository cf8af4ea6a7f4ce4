"""The upstream as real clients see it: the official stripe-python, httpx, and OpenSSL's own client."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import stripe

from payproof.adapters.data import data_folder
from payproof.adapters.upstream import DoubleBackend, StripeTestMode, UpstreamServer
from payproof.canary import Ledger
from payproof.domain.operation import Price, Trouble, UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.domain.stripe_call import KeyKind
from payproof.errors import InconclusiveError
from payproof.session.upstream import OpenUpstream, open_upstream
from payproof.stripe.double import Double
from payproof.stripe.upstream.faults import ConnectionFault
from payproof.stripe.upstream.plan import Plan
from tests.components import need
from tests.double import API_KEY, NEWEST

PRICES = {"price_team": Price(1000)}
LIVE = [kind + "live_" + "0123456789abcdef" for kind in ("sk_", "rk_")]


@pytest.fixture
def patience(request) -> float:
    """Seconds that a client waits: few where a fault stalls, else more than a busy machine takes."""
    return 3.0 if "[stalled_" in request.node.name else 60.0


@pytest.fixture
def client(upstream, patience) -> Iterator[stripe.StripeClient]:
    """The official client as it comes, pointed to the upstream as the hint says."""
    with requests.Session() as session:
        session.trust_env = False
        transport = stripe.RequestsClient(timeout=patience, session=session)
        addresses = {"api": upstream.url}
        yield stripe.StripeClient(API_KEY, base_addresses=addresses, http_client=transport, max_network_retries=0)


@pytest.fixture
def upstream() -> Iterator[OpenUpstream]:
    """An upstream by HTTP in front of the double."""
    spec = UpstreamSpec(url="http://127.0.0.1:0", prices=PRICES)
    with open_upstream(spec, ledger=Ledger(), api_version=NEWEST, seed=1) as opened:
        yield opened


def test_stripe_python_lets_a_subscription_live_by_a_test_clock(client):
    """The official client makes a test clock, a customer on it and a subscription, moves it on and deletes it."""
    clocks, began = client.v1.test_helpers.test_clocks, 1_700_000_000
    clock = clocks.create({"frozen_time": began, "name": "a life"})
    customer = client.v1.customers.create({"test_clock": clock.id})
    given = {"customer": customer.id, "items": [{"price": "price_team"}], "trial_period_days": 10}
    subscription = client.v1.subscriptions.create(given)
    assert (subscription.status, subscription.test_clock) == ("trialing", clock.id)
    assert clocks.advance(clock.id, {"frozen_time": began + 11 * 86_400}).status == "advancing"
    assert (clocks.retrieve(clock.id).status, len(clocks.list().data)) == ("ready", 1)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
    types = [event.type for event in client.v1.events.list({"limit": 100}).data]
    assert {"customer.subscription.trial_will_end", "invoice.paid"} <= {*types}
    assert clocks.delete(clock.id).deleted


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ("card_declined.lost_card", stripe.CardError),
        ("bad_request", stripe.InvalidRequestError),
        ("server_error", stripe.APIError),
        ("too_many_requests", stripe.RateLimitError),
        ("conflict", stripe.APIError),
        ("reset_before", stripe.APIConnectionError),
        ("stalled_before", stripe.APIConnectionError),
        ("stalled_after", stripe.APIConnectionError),
        ("stalled_body", stripe.APIConnectionError),
        ("torn_body", stripe.APIConnectionError),
        ("cut_json", stripe.APIError),
        ("malformed_json", stripe.APIError),
        ("empty_body", stripe.APIError),
        ("html", stripe.APIError),
        ("html_bad_gateway", stripe.APIError),
    ],
)
def test_stripe_python_meets_each_fault(upstream, client, fault, raised):
    """The official SDK raises for each sort of fault what it raises for the like at Stripe, and works afterwards."""
    upstream.arm([Trouble(fault, "POST /v1/customers", times=1)], Random(1), Ledger().add)
    with pytest.raises(stripe.StripeError) as error:
        client.v1.customers.create({"name": "A"})
    assert isinstance(error.value, raised), error.value
    assert client.v1.customers.create({"name": "B"}).name == "B"


def test_retry_after_and_request_id_reach_stripe_python(upstream, client):
    """The head of an error arrives with it."""
    upstream.arm([Trouble("too_many_requests", "POST /v1/customers", retry_after=7)], Random(1), Ledger().add)
    with pytest.raises(stripe.RateLimitError) as error:
        client.v1.customers.create({"name": "A"})
    head = {name.lower(): value for name, value in error.value.headers.items()}
    assert head["retry-after"] == "7"
    assert error.value.request_id == head["request-id"]


@pytest.mark.parametrize("fault", ["self_signed", "untrusted", "expired", "not_yet_valid", "wrong_host"])
def test_openssl_says_what_is_wrong_with_a_certificate(fault):
    """OpenSSL's own client names the fault that each bad certificate was made for."""
    said = handshake(ConnectionFault(fault), "-tls1_2")
    assert {
        "self_signed": "self-signed certificate",
        "untrusted": "unable to get local issuer certificate",
        "expired": "certificate has expired",
        "not_yet_valid": "certificate is not yet valid",
        "wrong_host": "IP address mismatch",
    }[fault] in said, said


@pytest.mark.parametrize("version", ["1", "1_1", "1_2", "1_3"])
def test_openssl_gets_one_version_of_tls(version):
    """A version that is offered is offered alone: a client of it gets through, and those of others do not."""
    fault = ConnectionFault("tls_1_0" if version == "1" else f"tls_{version}")
    for other in ("1", "1_1", "1_2", "1_3"):
        said = handshake(fault, f"-tls{other}", "-cipher", "ALL:@SECLEVEL=0")
        assert ("Cipher is (NONE)" not in said) is (other == version), said


def handshake(fault: ConnectionFault, *options: str) -> str:
    """Return what OpenSSL's client says of a connection with a fault."""
    need("openssl", shutil.which("openssl") is not None)
    double = Double(data_folder("fixtures"), clock=time.time, seed=1, api_version=NEWEST)
    with UpstreamServer(DoubleBackend(double), ledger=Ledger(), http_port=None) as server:
        server.plan(Plan(connections=(fault,), lasting=True))
        address = urlsplit(server.urls["https"])
        done = subprocess.run(
            ["openssl", "s_client", "-connect", address.netloc, "-CAfile", str(server.ca_file), "-verify_ip",
             "127.0.0.1", *options],
            input=b"", capture_output=True, check=False, timeout=20,
        )  # fmt: skip
        assert server.calls() == ()
    return (done.stdout + done.stderr).decode()


def test_bad_connections_need_https(upstream):
    """By plain HTTP there is no certificate to be bad, which makes a case unknown and not passed."""
    with pytest.raises(InconclusiveError, match="TLS can have no fault by plain HTTP"):
        upstream.arm([Trouble("expired", "POST /v1/customers")], Random(1), Ledger().add)


@pytest.mark.parametrize("key", LIVE)
@pytest.mark.parametrize("way", ["bearer", "basic", "two spaces", "lower case", "after a test key"])
def test_no_live_key_gets_to_stripe(key, way):
    """However a target sends a live key, nothing of its call gets to Stripe's test mode."""
    double = Double(data_folder("fixtures"), clock=time.time, seed=1, api_version=NEWEST)
    given: list[tuple[str, str]] = {
        "bearer": [("Authorization", f"Bearer {key}")],
        "basic": [("Authorization", httpx.BasicAuth(key, "")._auth_header)],
        "two spaces": [("Authorization", f"Bearer  {key}")],
        "lower case": [("authorization", f"bearer {key}")],
        "after a test key": [("Authorization", f"Bearer {API_KEY}"), ("Authorization", f"Bearer {key}")],
    }[way]
    with UpstreamServer(DoubleBackend(double), ledger=Ledger(), https_port=None) as at_stripe:
        backend = StripeTestMode(Secret("key", API_KEY), url=at_stripe.urls["http"])
        with UpstreamServer(backend, ledger=Ledger(), https_port=None) as server:
            answer = httpx.post(server.urls["http"] + "/v1/customers", headers=given, trust_env=False)
            assert (answer.status_code, server.calls()[0].key) == (401, KeyKind.LIVE)
            assert key not in answer.text
        assert at_stripe.calls() == ()
