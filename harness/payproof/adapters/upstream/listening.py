"""Listens on 127.0.0.1, and gives each connection the TLS, good or bad, that the plan has for it."""

import asyncio
import socket
import ssl
from collections.abc import Callable

from payproof.adapters.upstream.call_log import CallLog
from payproof.adapters.upstream.certificates import Certificates
from payproof.adapters.upstream.replies import reset
from payproof.errors import ConfigurationError
from payproof.stripe.upstream.faults import ConnectionFault

__all__ = ["HOST", "Listener", "bind_socket"]

HOST = "127.0.0.1"
_BACKLOG = 1024
_HANDSHAKE_SECONDS = 15.0


def bind_socket(port: int) -> socket.socket:
    """Return a socket that listens on a port of this machine, 0 for any free one.

    Raises:
        ConfigurationError: the port is taken, or may not be had.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        hint = "stop what listens there, or give another port"
        raise ConfigurationError(f"port {port} of {HOST} cannot be had: {error.strerror}", hint=hint) from None
    except OverflowError:
        listening.close()
        raise ConfigurationError(f"{port} is no port", hint="from 0, which takes any free one, to 65535") from None
    listening.setblocking(False)  # noqa: FBT003 (the standard library's)
    return listening


class Listener:
    """Takes the connections of one socket.

    ``protocol`` makes what speaks HTTP on a connection. ``certificates`` are None for plain HTTP, and ``log`` None
    for a trap, which has no faults and keeps no log.
    """

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        certificates: Certificates | None,
        log: CallLog | None,
    ) -> None:
        self._listening, self._protocol = listening, protocol
        self._certificates, self._log = certificates, log
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take connections until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                connection, _ = await loop.sock_accept(self._listening)
                task = loop.create_task(self._open(connection))
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
        finally:
            for task in list(self._opening):
                task.cancel()
            await asyncio.gather(*self._opening, return_exceptions=True)

    async def _open(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection.setblocking(False)  # noqa: FBT003 (the standard library's)
        secure = self._certificates is not None
        fault = None if self._log is None else self._log.next_connection(secure=secure)
        if fault is ConnectionFault.RESET:
            transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, connection)
            reset(transport)
            self._note_connection(fault, "reset")
            return
        context = None if self._certificates is None else self._certificates.context(fault)
        try:
            await loop.connect_accepted_socket(
                self._protocol,
                connection,
                ssl=context,
                ssl_handshake_timeout=None if context is None else _HANDSHAKE_SECONDS,
            )
        except ssl.SSLError as error:
            self._note_connection(fault, error.reason or type(error).__name__)
        except OSError as error:
            self._note_connection(fault, type(error).__name__)
        else:
            if fault is not None:
                self._note_connection(fault, "")

    def _note_connection(self, fault: ConnectionFault | None, failed: str) -> None:
        if self._log is not None:
            name = "" if fault is None else fault.value
            self._log.add_connection(secure=self._certificates is not None, fault=name, failed=failed)
