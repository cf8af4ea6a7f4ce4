"""Response headers that every answer carries, errors included."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof_reference.telemetry import metrics

__all__ = ["SECURITY_HEADERS", "SecurityHeaders"]

# OWASP Secure Headers, profile of an API: nothing it returns is to be rendered, framed, cached or embedded.
SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """ASGI middleware, outermost, so that no answer leaves without the headers, or uncounted (PCI DSS 4.2.1, 6.2.4)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the headers added to whatever is answered."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
                metrics.ANSWERS.labels(message["status"]).inc()
            await send(message)

        await self.app(scope, receive, send_with_headers)
