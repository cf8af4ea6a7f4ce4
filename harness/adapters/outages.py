import asyncio
import json
import os
import sys
from contextlib import suppress

from harness.domain.target import StoreOutage
from harness.errors import InconclusiveError, Reason

__all__ = ["LocalOutages", "outage_command"]

_COMMAND = (sys.executable, "-P", "-m", "harness.adapters.outage_process")


def outage_command(kind: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that holds a store down as long as its standard input is open."""
    return (*_COMMAND, kind, *arguments)


class LocalOutages:
    """Takes the target's store down; a process of its own brings it back, however this one ends."""

    def __init__(self, spec: StoreOutage | None) -> None:
        self._spec = spec
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_down(self) -> bool:
        """Whether the store is down now."""
        return self._process is not None

    async def begin(self) -> None:
        """Take the store down.

        Raises:
            InconclusiveError: it was not taken down in time; what was done of it is undone.
        """
        spec = self._spec
        assert spec is not None, "a scenario that takes the store down needs store_outage"
        command = spec.hold or outage_command("commands", json.dumps([spec.down, spec.up]))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=spec.folder,
                env={**os.environ, **spec.environment},
                # Ctrl-C in a terminal is for this process; that one goes on until the store is back.
                start_new_session=True,
            )
        except OSError as error:
            detail = f"the command {command[0]} cannot be started: {error.strerror}"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail) from None
        assert self._process.stdout is not None
        line = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(spec.seconds):
                line = await self._process.stdout.readline()
        if line.strip() != b"down":
            with suppress(InconclusiveError):
                await self.end()
            raise InconclusiveError(Reason.COMMAND_FAILED, f"the store was not taken down within {spec.seconds:g} s")

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
        status = None
        with suppress(TimeoutError):
            async with asyncio.timeout(self._spec.seconds):
                status = await process.wait()
        if status != 0:
            what = "did not end" if status is None else f"ended with status {status}"
            detail = f"the store may still be down: what was to bring it back {what} within {self._spec.seconds:g} s"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail)
