import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from payproof.adapters.outage_process import last_lines
from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.domain.target import StoreFault, StoreOutage
from payproof.errors import InconclusiveError, Reason
from payproof.registry import detectors_at_rest
from payproof.scan.scanner import Scanner

__all__ = ["LocalOutages", "mask_line", "outage_command"]

_COMMAND = (sys.executable, "-P", "-m", "payproof.adapters.outage_process")
_LOOK_SECONDS = 0.02
_REST_SECONDS = 1.0  # for what a process that has ended may have said
_LONGEST = 200  # characters of a line that are shown


def outage_command(kind: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that holds a store down as long as its standard input is open."""
    return (*_COMMAND, kind, *arguments)


class LocalOutages:
    """Takes the target's store down; a process of its own brings it back, however this one ends."""

    def __init__(self, spec: StoreOutage | None, faults: Mapping[StoreFault, StoreOutage] | None = None) -> None:
        self._specs: dict[str, StoreOutage] = dict((faults or {}).items())
        if spec is not None:
            self._specs[""] = spec
        self._spec: StoreOutage | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._errors: IO[bytes] | None = None

    @property
    def is_down(self) -> bool:
        """Whether the store is down now."""
        return self._process is not None

    async def begin(self, fault: str = "") -> None:
        """Take the store down, or let it have a fault.

        Raises:
            InconclusiveError: it was not taken down in time; what was done of it is undone.
        """
        assert fault in self._specs, "a scenario that takes the store down needs store_outage, or the fault's table"
        spec = self._spec = self._specs[fault]
        command = spec.hold or outage_command("commands", json.dumps([spec.down, spec.up]))
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed when the store is back)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=self._errors,
                cwd=spec.folder,
                env={**os.environ, **spec.environment},
                # Ctrl-C in a terminal is for this process; that one goes on until the store is back.
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            detail = f"the command {command[0]} cannot be started: {error.strerror}"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail) from None
        line, status = await _read_line(self._process, spec.seconds, ending=False)
        if line.strip() != b"down":
            why = self._why(line, status, command[0]) or f"within {spec.seconds:g} s"
            with suppress(InconclusiveError):
                await self.end()
            raise InconclusiveError(Reason.COMMAND_FAILED, f"the store was not taken down {why}")

    async def end(self) -> None:
        """Bring the store back, if it is down.

        Raises:
            InconclusiveError: it was not brought back in time.
        """
        process, self._process = self._process, None
        if process is None or self._spec is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        line, status = await _read_line(process, self._spec.seconds, ending=True)
        command = self._spec.hold[0] if self._spec.hold else _COMMAND[0]
        why = self._why(line, status, command) or f"within {self._spec.seconds:g} s"
        self._let_go(process)
        if status != 0:
            detail = f"the store may still be down: it was not brought back {why}"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail)

    def _let_go(self, process: asyncio.subprocess.Process) -> None:
        """Close what is left of a process: what it has started may hold its output open for ever."""
        if process.returncode is not None:  # it would be killed, before it has brought the store back
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 (asyncio has no other way)
        if self._errors is not None:
            self._errors.close()

    def _why(self, line: bytes, status: int | None, command: str) -> str:
        """Return how a command failed, with its last lines; empty where it has not ended."""
        told: list[str] = []
        try:
            _, how, told = json.loads(line)
        except (ValueError, TypeError, RecursionError):
            if status is None:
                return ""
            how = f"{command} ended with status {status}"
            said = [line.decode("utf-8", "replace")] if line.strip() else []
            told = said + (last_lines(self._errors) if self._errors is not None else [])
        return ": ".join([f"as {how}", " | ".join(map(mask_line, told))] if told else [f"as {how}"])


async def _read_line(process: asyncio.subprocess.Process, seconds: float, *, ending: bool) -> tuple[bytes, int | None]:
    """Return a process's next line and its status, as far as they come in time; and wait for one that is ``ending``.

    What it has started may hold its output open, so that its end is looked for as well.
    """
    assert process.stdout is not None
    line = asyncio.ensure_future(process.stdout.readline())
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                # By looking: asyncio may tell the end only with that of all pipes.
                while process.returncode is None and (ending or not (line.done() and line.result())):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_SECONDS)
        if process.returncode is not None:
            await asyncio.wait({line}, timeout=_REST_SECONDS)
        return (line.result() if line.done() else b""), process.returncode
    finally:
        line.cancel()


def mask_line(line: str) -> str:
    """Return a line of a command's as it may be shown: what it prints could hold anything."""
    data = "".join(c if c.isprintable() else " " for c in line).strip()[:_LONGEST].encode("utf-8", "replace")
    hits = [one for one in Scanner(detectors_at_rest(), Confidence.LOW).scan(data) if isinstance(one, Hit)]
    covered = bytearray(len(data))
    for hit in hits:
        covered[hit.start : hit.end] = b"\1" * (hit.end - hit.start)
    shown = bytes(ord("*") if hidden else byte for byte, hidden in zip(data, covered, strict=True))
    return shown.decode("utf-8", "replace")
