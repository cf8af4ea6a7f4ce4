"""The HTTPS server around the application."""

import asyncio
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus

import h11
import structlog
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from payproof_reference.framing import Framing, Lingering
from payproof_reference.middleware.errors import build_problem
from payproof_reference.middleware.security import SECURITY_HEADERS
from payproof_reference.settings import MisconfiguredError
from payproof_reference.telemetry import metrics

__all__ = ["Server", "create_server", "listen", "stop_at_end_of_input"]

log = structlog.get_logger()

# A Stripe-Signature of 10,000 entries reaches the parser and its uniform 401. uvicorn's own answer to a longer head can
# be lost, because it closes the connection while the client still sends.
LONGEST_HEAD = 1024 * 1024
# How long a head and a body may take from beginning to end; Stripe's come in milliseconds. The handshake before them
# has asyncio's limit of 60 seconds, the pause after them uvicorn's of 5.
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0


class Protocol(H11Protocol):
    """HTTP/1.1 with generic answers to malformed requests, which never reach the application, and a quick end.

    A connection on which a request comes too slowly is dropped, counted from where its head or its body began: uvicorn
    only knows a limit between requests, and a byte now and then would hold a connection for ever (CWE-400).
    """

    transport: Lingering  # type: ignore[assignment] # it is one in all that is used of it
    _deadline: asyncio.TimerHandle | None = None
    _awaited: tuple[object, object] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Begin to wait for the first head."""
        super().connection_made(Lingering(transport, self._expects_more))  # type: ignore[arg-type]
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read what has come, unless the connection is at its end."""
        if not self.transport.throws_away(data):
            super().data_received(data)

    def handle_events(self) -> None:
        """Read what has come, and see what is awaited after it."""
        super().handle_events()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing more."""
        self.transport.forget()
        super().connection_lost(exc)
        self._expect(None)

    def _expects_more(self) -> bool:
        """Whether the other side has sent, or may still send, what was not read."""
        return self.conn.their_state in {h11.SEND_BODY, h11.ERROR} or bool(self.conn.trailing_data[0])

    def _watch(self) -> None:
        """Start a time whenever what is awaited is another thing; further bytes of the same do not extend it."""
        state = self.conn.their_state
        if (state, self.cycle) != self._awaited:
            self._awaited = (state, self.cycle)
            self._expect({h11.IDLE: HEAD_SECONDS, h11.SEND_BODY: BODY_SECONDS}.get(state))

    def _expect(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._drop)

    def _drop(self) -> None:
        """End the connection without waiting for the other side, which is the one that takes its time."""
        part = "head" if self.conn.their_state is h11.IDLE else "body"
        metrics.TOO_SLOW.labels(part).inc()
        log.info("request_too_slow", part=part, origin=self.client[0] if self.client else "unknown")
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the name is uvicorn's; the text is for its log
        """Answer 400 and close."""
        answer = build_problem(HTTPStatus.BAD_REQUEST, headers={**SECURITY_HEADERS, "Connection": "close"})
        head = h11.Response(status_code=answer.status_code, headers=answer.raw_headers, reason=b"Bad Request")
        for part in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part) or b"")
        self.transport.close()

    def shutdown(self) -> None:
        """Drop the connection if it is idle; by TLS a silent client could keep it, and the whole service, for 30 s."""
        if not self.transport.is_closing():
            super().shutdown()
        if self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """A server that says where it listens once it does, as the event `name` of the log, and that hears SIGHUP."""

    def __init__(self, config: uvicorn.Config, name: str, on_hangup: Callable[[], object] | None) -> None:
        super().__init__(config)
        self._name, self._on_hangup = name, on_hangup

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections, then log the address."""
        await super().startup(sockets)
        if self._on_hangup is not None:
            # By the loop and not by `signal.signal`: what interrupts the log between two lines cannot write to it.
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._on_hangup)
        host, port = (sockets or [])[0].getsockname()[:2]
        log.info(self._name, host=host, port=port)


def create_server(
    app: ASGIApp,
    context: ssl.SSLContext | None,
    *,
    name: str = "service_started",
    on_hangup: Callable[[], object] | None = None,
) -> Server:
    """Build a server that names no software and leaves forwarding headers to the application.

    Args:
        app: what answers.
        context: for HTTPS; None for plain HTTP, which only the metrics speak.
        name: the event with which it says that it listens.
        on_hangup: what SIGHUP asks for, if anything; only for a server of the main thread.
    """
    config = uvicorn.Config(
        Framing(app),
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
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )
    return Server(config, name, on_hangup)


def listen(host: str, port: int, settings: str) -> socket.socket:
    """Bind an address, which with port 0 is the moment when the port is known and nobody else can take it.

    Args:
        host: an address of this machine's.
        port: a port of it.
        settings: where the two come from, for the message.

    Raises:
        MisconfiguredError: the address is not this machine's, or is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise MisconfiguredError(f"{settings}: the address cannot be used") from None
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
