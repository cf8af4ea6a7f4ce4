import asyncio
import json
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO
from urllib.parse import urlsplit

from payproof.adapters.http import HttpSender
from payproof.adapters.outages import mask_line
from payproof.canary import Ledger
from payproof.domain.observation import Answer
from payproof.domain.request import Request
from payproof.domain.sensitive import Exposure, Secret
from payproof.domain.target import Target
from payproof.engine.ports import InstanceStart
from payproof.errors import InconclusiveError, Reason

__all__ = ["LocalInstances", "free_port"]

_COMMAND = (sys.executable, "-P", "-m", "payproof.adapters.instance_process")
#: What a program finds of this machine: nothing that could be a setting of the target.
_OF_THE_MACHINE = frozenset(
    {"HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "SYSTEMROOT", "TEMP", "TMP"}
    | {"TMPDIR", "TZ", "USER", "VIRTUAL_ENV"}
)
# Below those that systems give out by themselves, lest one be given out before it is listened at.
_PORTS = range(20_000, 32_000)
_LOOK_SECONDS = 0.02
_STOP_SECONDS = 10.0
_FAILURE = 500
_LAST_BYTES, _LAST_LINES = 64 * 1024, 200


@dataclass(frozen=True, slots=True)
class _Running:
    """An instance: the process that keeps it, what it says, and what sends to it."""

    keeper: asyncio.subprocess.Process
    output: IO[bytes]
    sender: HttpSender


class LocalInstances:
    """Starts second instances of the target on this machine, one at a time.

    Each is kept by a process of its own, which ends it however this one ends. It works with the stores of the target.
    """

    def __init__(self, target: Target, ledger: Ledger) -> None:
        self._target, self._ledger = target, ledger
        self._running: _Running | None = None
        self._listens = False

    @property
    def sender(self) -> HttpSender | None:
        """What sends to the instance that runs; None where there is none."""
        return self._running.sender if self._running is not None and self._listens else None

    async def start(self, setting: str, value: str | None) -> InstanceStart:
        """Start an instance, with one setting of another value, or without it; without a setting as it should be.

        Raises:
            InconclusiveError: it cannot be started, or neither listens nor ends in time.
        """
        await self.stop()
        spec = self._target.process
        assert spec is not None, "a scenario that starts an instance needs process"
        port, started = free_port(), time.monotonic()
        running = self._running = await self._begin(port, setting, value)
        ended = asyncio.ensure_future(_read_end(running.keeper))
        try:
            async with asyncio.timeout(spec.seconds):
                while not ended.done() and not await self._is_ready(running.sender, port):  # noqa: ASYNC110 (it is asked)
                    await asyncio.sleep(_LOOK_SECONDS)
                self._listens = not ended.done()
                status = ended.result() if ended.done() else None
        except TimeoutError:
            last = " | ".join(self._last_lines()[0][-3:]) or "it said nothing"
            await self.stop()
            detail = f"an instance neither listened at port {port} nor ended within {spec.seconds:g} s: {last}"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail) from None
        finally:
            ended.cancel()
        seconds = time.monotonic() - started
        said = self._last_lines()
        if not self._listens:
            await self.stop()
        return InstanceStart(status, seconds, *said)

    async def _begin(self, port: int, setting: str, value: str | None) -> _Running:
        spec, parts = self._target.process, urlsplit(self._target.url)
        assert spec is not None
        asked = {
            "command": [word.replace("{port}", str(port)) for word in spec.start],
            "folder": spec.folder,
            "environment": self._environment(port, setting, value),
        }
        output = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the instance has ended)
        keeper = await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            # Ctrl-C in a terminal is for this process; that one ends when its input does.
            start_new_session=True,
        )
        assert keeper.stdin is not None
        # Not among its arguments, which everybody on this machine may read.
        keeper.stdin.write(json.dumps(asked).encode() + b"\n")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        there = replace(self._target, url=f"{parts.scheme}://{host}:{port}", hosts=frozenset())
        return _Running(keeper, output, HttpSender(there, self._ledger))

    def _environment(self, port: int, setting: str, value: str | None) -> Mapping[str, str]:
        """Return the variables of an instance."""
        spec, target = self._target.process, self._target
        assert spec is not None
        own = {name: text for name, text in os.environ.items() if name in _OF_THE_MACHINE}
        own |= {name: text.replace("{port}", str(port)) for name, text in spec.environment.items()}
        right = {"secret": _text(target.webhook.secret), "api_key": _text(target.api_key)}
        variables = {"secret": spec.secret_variable, "api_key": spec.api_key_variable}
        for name, variable in variables.items():
            text = value if name == setting else right[name]
            if variable and text is not None:
                own[variable] = text
            elif name == setting:
                own.pop(variable, None)
        return own | ({spec.port_variable: str(port)} if spec.port_variable else {})

    async def _is_ready(self, sender: HttpSender, port: int) -> bool:
        """Whether an instance takes connections, or answers at the path that says so."""
        spec = self._target.process
        assert spec is not None
        if spec.ready:
            exchange = await sender.send(Request("GET", spec.ready, ((b"Accept", b"*/*"),), b"", "is it ready"), 0)
            return isinstance(exchange.answer, Answer) and exchange.answer.status < _FAILURE
        try:
            _, writer = await asyncio.open_connection(urlsplit(self._target.url).hostname, port)
        except OSError:
            return False
        writer.transport.abort()
        return True

    def _last_lines(self) -> tuple[tuple[str, ...], tuple[Exposure, ...]]:
        """Return what the instance has said last, sensitive values replaced, and which these were."""
        assert self._running is not None
        output = self._running.output
        output.seek(max(0, output.seek(0, os.SEEK_END) - _LAST_BYTES))
        lines = [line for line in output.read().splitlines() if line.strip()][-_LAST_LINES:]
        concealed = self._ledger.conceal_all((line, "output of the second instance") for line in lines)
        # What the ledger does not know may be a secret too, such as the password of a database.
        told = tuple(mask_line(line.decode("utf-8", "replace")) for line, _ in concealed)
        return told, tuple(exposure for _, found in concealed for exposure in found)

    async def kill(self) -> None:
        """Kill the instance that runs, without a chance for it to do anything more, and wait until it is gone."""
        running = self._running
        assert running is not None, "a step that kills an instance has started one"
        keeper = running.keeper
        assert keeper.stdin is not None
        keeper.stdin.write(b"kill\n")
        await keeper.stdin.drain()
        await self.stop()

    async def stop(self) -> None:
        """Stop the instance that runs, if one does."""
        running, self._running, self._listens = self._running, None, False
        if running is None:
            return
        keeper = running.keeper
        try:
            await running.sender.close()
        finally:
            assert keeper.stdin is not None
            keeper.stdin.close()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await keeper.wait()
            except TimeoutError:
                keeper.kill()
                await keeper.wait()
            running.output.close()


def _text(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def free_port() -> int:
    """Return a port that nobody listens at."""
    while True:
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


async def _read_end(keeper: asyncio.subprocess.Process) -> int:
    """Return the status with which an instance ends by itself.

    Raises:
        InconclusiveError: it could not be started.
    """
    assert keeper.stdout is not None
    line = await keeper.stdout.readline()
    told = json.loads(line) if line.strip() else {"problem": "the process that keeps the instance has ended"}
    if "problem" in told:
        raise InconclusiveError(Reason.COMMAND_FAILED, told["problem"])
    return int(told["status"])
