from collections.abc import Sequence
from typing import Literal

from payproof.domain.observation import InstanceStarted, LogLines, Observation
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.ports import Instances, Sender
from payproof.errors import InconclusiveError, Reason

__all__ = ["CaseInstance"]

_FEW = 3  # lines that tell why an instance has ended


class CaseInstance:
    """Starts second instances of the target; how long one takes does not count as time of the case."""

    def __init__(self, instances: Instances | None, progress: PhaseProgress, clock: CaseClock) -> None:
        self._instances, self._progress, self._clock = instances, progress, clock

    @property
    def is_running(self) -> bool:
        """Whether the instance that was started last listens."""
        return self._instances is not None and self._instances.sender is not None

    @property
    def sender(self) -> Sender:
        """What sends to the instance."""
        assert self._instances is not None, "a scenario that starts an instance needs process"
        assert self._instances.sender is not None, "a step that sends to an instance looks first whether one runs"
        return self._instances.sender

    async def kill(self) -> None:
        """Kill the instance that runs; what was under way there gets no answer."""
        assert self._instances is not None, "a scenario that kills an instance needs process"
        await self._instances.kill()

    async def start(
        self, setting: Literal["", "secret", "api_key"], name: str, value: str | None
    ) -> Sequence[Observation]:
        """Start an instance in place of an earlier one.

        Raises:
            InconclusiveError: it cannot be started, or neither listens nor ends in time; or has ended, though nothing
                is wrong with its settings.
        """
        assert self._instances is not None, "a scenario that starts an instance needs process"
        with self._clock.suspend_limit():
            started = await self._instances.start(setting, value)
        if started.status is not None and not setting:
            last = " | ".join(started.said[-_FEW:]) or "it said nothing"
            detail = f"an instance started as it should be ended with status {started.status}: {last}"
            raise InconclusiveError(Reason.COMMAND_FAILED, detail)
        step = self._progress.step
        return (
            InstanceStarted(step, setting, name, started.status, started.seconds),
            LogLines(step, "output of the second instance", started.said, started.exposures),
        )
