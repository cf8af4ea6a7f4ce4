"""The client's address and protocol, where proxies stand in front of the service."""

import re
from collections.abc import Collection
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from payproof_reference.middleware.errors import build_problem
from payproof_reference.telemetry import metrics

__all__ = ["TrustedProxies"]

log = structlog.get_logger()

Address = IPv4Address | IPv6Address

# As proxies write them: alone, or with a port, for which IPv6 needs brackets.
ADDRESS_SHAPE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")


class TrustedProxies:
    """ASGI middleware that believes the X-Forwarded-For and -Proto of trusted proxies, and of nobody else.

    Without it the audit log and the lockout would take the proxy for every client (PCI DSS 8.3.4, 10.2.2); were
    everybody's headers believed, each client could choose its origin. A request that a trusted proxy took by plain HTTP
    is refused unread (PCI DSS 4.2.1). `Forwarded` (RFC 7239) is not read.

    Own code, because uvicorn 0.54's ProxyHeadersMiddleware takes any text for an address, reads the last of several
    X-Forwarded-Proto and no list, and does not know a proxy whose IPv4 address arrives as an IPv6 one.

    Args:
        app: what comes behind it.
        trusted: the networks of the proxies; with none, nothing is believed.
    """

    def __init__(self, app: ASGIApp, trusted: Collection[IPv4Network | IPv6Network]) -> None:
        self.app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as the client's, or refuse it."""
        peer = address_of(scope["client"][0]) if scope.get("client") else None
        if peer is not None and self._trusts(peer):
            headers = Headers(scope=scope)
            client = self._client(peer, read_list(headers, "x-forwarded-for"))
            if any(protocol.lower() != "https" for protocol in read_list(headers, "x-forwarded-proto")):
                metrics.PLAIN_HTTP_REFUSED.inc()
                log.warning("plain_http_refused", path=scope["path"], origin=str(client))
                await build_problem(HTTPStatus.FORBIDDEN)(scope, receive, send)
                return
            scope = {**scope, "client": (str(client), 0)}
        await self.app(scope, receive, send)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _client(self, peer: Address, forwarded: list[str]) -> Address:
        """Follow the hops from the service outwards, as long as each was reported by a proxy that is trusted."""
        nearest = peer
        for text in reversed(forwarded):
            address = address_of(text)
            if address is None:
                break
            nearest = address
            if not self._trusts(address):
                break
        return nearest


def read_list(headers: Headers, name: str) -> list[str]:
    """Read a list that may be spread over several headers of one name (RFC 9110, section 5.3)."""
    return [item.strip() for value in headers.getlist(name) for item in value.split(",") if item.strip()]


def address_of(text: str) -> Address | None:
    """Read an address, with or without a port; None for what is none, such as `unknown` (RFC 7239, section 6)."""
    shape = ADDRESS_SHAPE.fullmatch(text)
    if shape is None:
        return None
    try:
        address = ip_address(next(filter(None, shape.groups())))
    except ValueError:
        return None
    # Where the service listens on both families at once, an IPv4 peer shows as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
