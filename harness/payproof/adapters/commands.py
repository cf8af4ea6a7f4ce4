import asyncio
import os
from collections.abc import Mapping, Sequence

from payproof.errors import InconclusiveError, Reason

__all__ = ["LocalCommands"]


class LocalCommands:
    """Runs commands on this machine, without a shell; what they print is not read, as it could hold anything."""

    async def run(self, command: Sequence[str], *, folder: str, environment: Mapping[str, str], seconds: float) -> int:
        """Run a command to its end and return its status.

        Raises:
            InconclusiveError: it cannot be started, or did not end in time.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=folder,
                env={**os.environ, **environment},
            )
        except OSError as error:
            detail = f"the command {command[0]} cannot be started: {error.strerror}"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail) from None
        try:
            async with asyncio.timeout(seconds):
                return await process.wait()
        except TimeoutError:
            detail = f"the command {command[0]} did not end within {seconds:g} s"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
