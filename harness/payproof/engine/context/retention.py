from collections.abc import Mapping

from payproof.domain.observation import Observation, Purged
from payproof.domain.target import RetentionSpec, Value
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.ports import Commands, Writer

__all__ = ["CaseRetention"]

_DAY = 24 * 3600


class CaseRetention:
    """Writes rows that are due, and runs the target's own purge."""

    def __init__(
        self,
        commands: Commands,
        writer: Writer | None,
        spec: RetentionSpec | None,
        progress: PhaseProgress,
        clock: CaseClock,
    ) -> None:
        self._commands, self._writer, self._spec = commands, writer, spec
        self._progress, self._clock = progress, clock

    def write_row(self, table: str, values: Mapping[str, Value]) -> None:
        """Write a row into the target's database.

        Raises:
            InconclusiveError: it cannot be written.
        """
        assert self._writer is not None, "a scenario that writes rows needs what writes them"
        self._writer.insert(table, values)

    async def purge(self, later: float = 0) -> Observation:
        """Run the target's own purge, as if it were so many days later.

        Raises:
            InconclusiveError: it cannot be started, or did not end in time.
        """
        spec = self._spec
        assert spec is not None, "a scenario that purges needs retention"
        started = self._clock.monotonic()
        command = spec.purge
        if later:
            ahead = int(later * _DAY)
            stands_for = {"{seconds}": str(ahead), "{time}": str(self._clock.now() + ahead)}
            command = tuple(_fill(word, stands_for) for word in spec.purge_at)
        status = await self._commands.run(
            command, folder=spec.folder, environment=spec.environment, seconds=spec.seconds
        )
        return Purged(self._progress.step, status, self._clock.monotonic() - started, later)


def _fill(word: str, stands_for: Mapping[str, str]) -> str:
    for placeholder, text in stands_for.items():
        word = word.replace(placeholder, text)
    return word
