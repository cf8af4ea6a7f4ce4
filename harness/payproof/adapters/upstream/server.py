"""The Stripe API as the target sees it: records every call, lets faults strike, and has a backend answer."""

import asyncio
import logging
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from payproof.adapters.scratch import scratch_folder
from payproof.adapters.upstream.answering import Answering
from payproof.adapters.upstream.call_log import CallLog, Limits
from payproof.adapters.upstream.certificates import Certificates
from payproof.adapters.upstream.listening import HOST, Listener, bind_socket
from payproof.canary import Ledger
from payproof.domain.stripe_call import StripeCall, StripeConnection
from payproof.errors import ConfigurationError, InconclusiveError
from payproof.stripe.api import Backend
from payproof.stripe.upstream.faults import ConnectionFault
from payproof.stripe.upstream.hints import how_to_point
from payproof.stripe.upstream.plan import Plan

__all__ = ["UpstreamServer"]

_STOP_SECONDS = 10.0
_END_SECONDS = 1.0
# What aiohttp would say of a broken call could hold parts of it.
_silent = logging.getLogger("payproof.upstream")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class UpstreamServer:
    """A server on this machine, in a thread of its own; a context manager that leaves neither thread nor file.

    Args:
        backend: answers for Stripe.
        ledger: replaces what is sensitive before anything of a call is kept.
        http_port: where to listen for HTTP; 0 takes any free port, None does not listen.
        https_port: the same for HTTPS.
        folder: where ``ca.pem`` is put and its authority kept for the next run; by default a folder of this run alone.
        limits: what is taken of a target.

    Raises:
        ConfigurationError: no port at all.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        ledger: Ledger,
        http_port: int | None = 0,
        https_port: int | None = 0,
        folder: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        if http_port is None and https_port is None:
            raise ConfigurationError("the upstream has no port", hint="give one for HTTP or HTTPS, 0 for any free one")
        self._backend = backend
        self._ports = {"http": http_port, "https": https_port}
        self._given_folder = folder
        self._log = CallLog(ledger, limits or Limits())
        self._certificates: Certificates | None = None
        self._resources = ExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: web.Server | None = None
        self._answering: Answering | None = None
        self._stop: asyncio.Event | None = None
        #: The base of the API by scheme, such as ``{"http": "http://127.0.0.1:12111"}``.
        self.urls: dict[str, str] = {}
        #: A base by plain HTTP that nobody has a reason to call; whoever does is recorded.
        self.elsewhere = ""
        #: The file that the target is to trust for HTTPS.
        self.ca_file: str | None = None

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            ConfigurationError: a port cannot be had, or certificates cannot be made.
        """
        with ExitStack() as stack:
            certificates = self._certificates = self._make_certificates(stack)
            sockets = {s: _listening(stack, port) for s, port in self._ports.items() if port is not None}
            # Redirects by plain HTTP lead somewhere, even where the API is offered by HTTPS only.
            traps = {scheme: _listening(stack, 0) for scheme in {*sockets, "http"}}
            self.urls = {scheme: _url(scheme, one) for scheme, one in sockets.items()}
            self.elsewhere = _url("http", traps["http"])
            answering = self._answering = Answering(
                self._backend, self._log, {s: _url(s, one) for s, one in traps.items()}
            )
            started = threading.Event()
            listening: list[tuple[str, socket.socket, CallLog | None]]
            listening = [(s, one, self._log) for s, one in sockets.items()]
            listening += [(s, one, None) for s, one in traps.items()]
            thread = threading.Thread(
                target=lambda: asyncio.run(self._serve(listening, certificates, answering, started)),
                name="payproof-upstream",
                daemon=True,
            )
            thread.start()
            stack.callback(thread.join, _STOP_SECONDS)
            if not started.wait(_STOP_SECONDS):
                raise TimeoutError("the upstream's thread did not start")
            stack.callback(self._end)
            self._resources = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close every connection and end the thread."""
        self._resources.close()

    def _make_certificates(self, stack: ExitStack) -> Certificates | None:
        if self._ports["https"] is None:
            return None
        folder = self._given_folder
        if folder is None:
            folder = stack.enter_context(scratch_folder("upstream")).path
        certificates = Certificates(folder)
        self.ca_file = str(certificates.ca_file)
        return certificates

    async def _serve(
        self,
        listening: list[tuple[str, socket.socket, CallLog | None]],
        certificates: Certificates | None,
        answering: Answering,
        started: threading.Event,
    ) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._server = server = web.Server(answering.handle, auto_decompress=False, access_log=None, logger=_silent)
        listeners = [
            Listener(
                one,
                server,
                certificates=certificates if scheme == "https" else None,
                log=log,
            )
            for scheme, one, log in listening
        ]
        tasks = [asyncio.create_task(listener.run()) for listener in listeners]
        started.set()
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        transports = [one.transport for one in server.connections if one.transport is not None]
        await server.shutdown(_END_SECONDS)
        for transport in transports:
            # By TLS a good-bye waits for the other side's, which a client that keeps a connection open sends late.
            transport.abort()
        await asyncio.sleep(0)  # in which the loop lets go of them
        await self._backend.close()

    def _end(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)

    def plan(self, plan: Plan) -> None:
        """Let the faults of a plan strike from now on, and those of the plan before no more.

        Where connections are to have faults, or had some, those that the target keeps open are ended, those that
        carry a call as soon as it is answered.

        Raises:
            ConfigurationError: a fault that the backend, or plain HTTP, cannot have.
        """
        if plan.works_within and not self._backend.works_within:
            hint = "take the built-in double, or let it strike before or after"
            raise ConfigurationError(f"no fault can strike within {self._backend.name}", hint=hint)
        for fault in set(plan.connections) - {None, ConnectionFault.RESET}:
            if self._certificates is None:
                raise ConfigurationError("TLS can have no fault by plain HTTP", hint="give the upstream an HTTPS port")
            self._certificates.context(fault)
        before = self._log.begin(plan)
        if (plan.connections or before.connections) and self._loop is not None and self._server is not None:
            ended = threading.Event()
            self._loop.call_soon_threadsafe(self._end_idle, ended)
            ended.wait(_STOP_SECONDS)

    def _end_idle(self, ended: threading.Event) -> None:
        assert self._server is not None
        assert self._answering is not None
        for connection in self._server.connections:
            if connection in self._answering.busy:
                connection.close()  # once its call is answered
            else:
                connection.force_close()
        ended.set()

    def count_calls(self) -> int:
        """Return how many calls have arrived."""
        return self._log.count_calls()

    def calls(self, since: int = 0) -> tuple[StripeCall, ...]:
        """Return the calls from a number on, in the order in which they arrived; one under way has no status yet."""
        return self._log.calls(since)

    def connections(self, since: int = 0) -> tuple[StripeConnection, ...]:
        """Return the connections from a number on that had a fault or came to nothing, in the order of their end."""
        return self._log.connections(since)

    def end_stalled(self) -> None:
        """End the connections of calls that a fault still holds up."""
        if self._loop is not None and self._answering is not None:
            self._loop.call_soon_threadsafe(self._answering.end_stalled)

    def check(self) -> None:
        """Make sure that what was recorded since the last check can be judged.

        Raises:
            InconclusiveError: the backend did not answer, a limit was passed, or a fault of ours kept it from its work.
        """
        if (trouble := self._log.take_trouble()) is not None:
            raise InconclusiveError(*trouble)

    def hint(self) -> str:
        """Return how a target that has never called is told to, or an empty text where it has."""
        if self._log.calls(0):
            return ""
        url = self.urls.get("https") or self.urls["http"]
        return how_to_point(url, self.ca_file)


def _listening(stack: ExitStack, port: int) -> socket.socket:
    one = bind_socket(port)
    stack.callback(one.close)
    return one


def _url(scheme: str, one: socket.socket) -> str:
    return f"{scheme}://{HOST}:{one.getsockname()[1]}"
