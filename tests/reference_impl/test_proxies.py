import asyncio
from dataclasses import replace
from ipaddress import ip_network

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from payproof_reference.middleware.proxies import TrustedProxies
from payproof_reference.middleware.security import SECURITY_HEADERS
from payproof_reference.telemetry import metrics
from tests.reference_impl.deliveries import event, signed

CLIENT = "203.0.113.9"
TRUSTED = tuple(ip_network(name) for name in ("127.0.0.0/8", "10.0.0.0/8", "fd00::/8"))


def seen(headers, *, peer="127.0.0.1", trusted=TRUSTED):
    """Send headers from a peer through the middleware, and give the client that the application sees, or the status."""

    async def tell(scope, receive, send):
        await PlainTextResponse(Request(scope).client.host)(scope, receive, send)

    async def once():
        transport = httpx.ASGITransport(TrustedProxies(tell, trusted), client=(peer, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="https://billing.test") as client:
            return await client.get("/", headers=[(name, value.encode("latin-1")) for name, value in headers])

    answer = asyncio.run(once())
    return answer.text if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize(
    ("forwarded", "origin"),
    [
        ([CLIENT], CLIENT),
        ([f"{CLIENT}:4711"], CLIENT),
        (["2001:db8::9"], "2001:db8::9"),
        (["[2001:DB8::9]"], "2001:db8::9"),
        (["[2001:db8::9]:4711"], "2001:db8::9"),
        (["::ffff:203.0.113.9"], CLIENT),
        ([f"198.51.100.1, {CLIENT}"], CLIENT),
        ([f"198.51.100.1, {CLIENT}, 10.1.2.3"], CLIENT),
        ([f"198.51.100.1,{CLIENT}", "10.1.2.3", "fd00::1"], CLIENT),
        (["198.51.100.1", CLIENT], CLIENT),
        ([f"{CLIENT}, ", " "], CLIENT),
        (["10.1.2.3, 10.4.5.6"], "10.1.2.3"),
        ([], "127.0.0.1"),
        ([""], "127.0.0.1"),
        (["unknown"], "127.0.0.1"),
        (["_hidden, 10.1.2.3"], "10.1.2.3"),
        ([f"{CLIENT}, <script>, 10.1.2.3"], "10.1.2.3"),
        (["4242 4242 4242 4242"], "127.0.0.1"),
        (["203.0.113.999"], "127.0.0.1"),
        (["[203.0.113.9"], "127.0.0.1"),
        (["[]"], "127.0.0.1"),
        (["203.0.113.9:port"], "127.0.0.1"),
        (["fe80::1%eth0"], "127.0.0.1"),
        (["\xb2\xb3.0.113.9"], "127.0.0.1"),
    ],
)
def test_client_is_the_nearest_address_that_is_no_trusted_proxy(forwarded, origin):
    """Hops are read from the service outwards; what lies beyond an untrusted one, or is no address, is not believed."""
    assert seen([("X-Forwarded-For", value) for value in forwarded]) == origin


@pytest.mark.parametrize("peer", ["10.0.0.7", "::ffff:10.0.0.7", "fd00::7"])
def test_proxy_is_known_by_either_form_of_its_address(peer):
    """A proxy is believed by IPv4, by IPv6, and when its IPv4 address arrives on a socket for both."""
    assert seen([("X-Forwarded-For", CLIENT)], peer=peer) == CLIENT


@pytest.mark.parametrize(
    ("peer", "trusted"), [("127.0.0.1", ()), (CLIENT, TRUSTED), ("2001:db8::7", TRUSTED), ("testclient", TRUSTED)]
)
def test_headers_of_strangers_change_nothing(peer, trusted):
    """Where the peer is no trusted proxy it stays the client, and its word on plain HTTP does not count either."""
    headers = [("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Proto", "http"), ("Forwarded", "for=10.0.0.1;proto=http")]
    assert seen(headers, peer=peer, trusted=trusted) == peer


@pytest.mark.parametrize(
    ("protocols", "answer"),
    [
        *(([one], 403) for one in ("http", "HTTP", "https, http", "http,https", "ws", "\xe9", "https;http")),
        (["https", "http"], 403),
        (["http", "https"], 403),
        *((several, "127.0.0.1") for several in ([], [""], ["https"], ["HTTPS, https"], ["https", "https"])),
    ],
)
def test_only_https_before_the_proxy_is_processed(protocols, answer):
    """A hop that was anything but HTTPS is enough for a refusal, wherever it stands; a proxy may also say nothing."""
    assert seen([("X-Forwarded-Proto", one) for one in protocols]) == answer


def test_audit_log_names_the_client_behind_a_proxy(client):
    """The origin of a refused delivery is the client's address as a trusted proxy tells it."""
    behind = replace(client, settings=client.settings.model_copy(update={"trusted_proxies": TRUSTED}))
    behind.deliver(event(), headers={"Stripe-Signature": "t=1", "X-Forwarded-For": f"198.51.100.1, {CLIENT}"})
    client.deliver(event(), headers={"Stripe-Signature": "t=1", "X-Forwarded-For": CLIENT})
    assert client.rows("audit_log", "origin") == [(CLIENT,), ("127.0.0.1",)]


def test_delivery_by_plain_http_leaves_nothing(client, settings):
    """A genuine delivery that came to the proxy by plain HTTP is refused in the generic form, and not applied."""
    behind = replace(client, settings=settings.model_copy(update={"trusted_proxies": TRUSTED}))
    name = "billing_plain_http_refused_total"
    before = metrics.REGISTRY.get_sample_value(name)
    body = event()
    headers = signed(body, settings.stripe_webhook_secret.get_secret_value())
    answer = behind.deliver(body, headers=headers | {"X-Forwarded-Proto": "http"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert {header: answer.headers[header] for header in SECURITY_HEADERS} == SECURITY_HEADERS
    assert client.rows("inbox") == client.rows("audit_log") == []
    assert metrics.REGISTRY.get_sample_value(name) == before + 1
    assert behind.deliver(body, headers=headers | {"X-Forwarded-Proto": "https"}).status_code == 200
