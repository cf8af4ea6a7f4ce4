"""The HTTPS server around the application."""

import os
import socket
import ssl
import threading
from http import HTTPStatus

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from reference_impl.middleware.errors import problem
from reference_impl.middleware.security import SECURITY_HEADERS
from reference_impl.settings import MisconfiguredError, Settings

__all__ = ["Server", "create_server", "listen", "stop_at_end_of_input", "tls_context"]

log = structlog.get_logger()

# A Stripe-Signature of 10,000 entries reaches the parser and its uniform 401. uvicorn's own answer to a longer head can
# be lost, because it closes the connection while the client still sends.
LONGEST_HEAD = 1024 * 1024
# Forward secrecy and authenticated encryption only (PCI DSS 4.2.1); TLS 1.3 has no others.
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Protocol(H11Protocol):
    """HTTP/1.1 with generic answers to malformed requests, which never reach the application, and a quick end."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the name is uvicorn's; the text is for its log
        """Answer 400 and close."""
        answer = problem(HTTPStatus.BAD_REQUEST, headers={**SECURITY_HEADERS, "Connection": "close"})
        head = h11.Response(status_code=answer.status_code, headers=answer.raw_headers, reason=b"Bad Request")
        for part in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def shutdown(self) -> None:
        """Drop the connection if it is idle; by TLS a silent client could keep it, and the whole service, for 30 s."""
        super().shutdown()
        if self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """A server that says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections, then log the address."""
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        log.info("service_started", host=host, port=port)


def create_server(app: ASGIApp, context: ssl.SSLContext) -> Server:
    """Build a server that speaks HTTPS with the given context, names no software and trusts no forwarding header."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=1,
        ssl_context_factory=lambda _config, _default: context,
    )
    return Server(config)


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Build a server context of TLS 1.2 and later from the certificate and key files.

    Raises:
        MisconfiguredError: a file cannot be read, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_1_2_CIPHERS)
    try:
        # The empty password makes an encrypted key an error; without one OpenSSL would ask on the terminal and wait.
        context.load_cert_chain(settings.tls_certificate, settings.tls_private_key, password="")
    except OSError:  # ssl.SSLError is one
        raise MisconfiguredError(
            "BILLING_TLS_CERTIFICATE, BILLING_TLS_PRIVATE_KEY: must be readable PEM files that belong together"
        ) from None
    return context


def listen(settings: Settings) -> socket.socket:
    """Bind the address, which with port 0 is the moment when the port is known and nobody else can take it.

    Raises:
        MisconfiguredError: the address is not this machine's, or is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError:
        listener.close()
        raise MisconfiguredError("BILLING_HOST, BILLING_PORT: the address cannot be used") from None
    return listener


def stop_at_end_of_input(server: Server) -> None:
    """Stop the server when standard input ends.

    The pipe closes with the process that holds its other end, however that process ends and on every system, where
    PR_SET_PDEATHSIG is Linux only and follows the starting thread.
    """

    def watch() -> None:
        while os.read(0, 4096):
            pass
        server.should_exit = True

    threading.Thread(target=watch, name="end-of-input", daemon=True).start()
