from payproof.engine.context.clock import CaseClock
from payproof.engine.ports import Outages

__all__ = ["CaseOutage"]


class CaseOutage:
    """Takes the target's store down and brings it back; neither counts as time of the case."""

    def __init__(self, outages: Outages, clock: CaseClock) -> None:
        self._outages, self._clock = outages, clock

    @property
    def is_on(self) -> bool:
        """Whether stores cannot be looked into now."""
        return self._outages.is_down

    async def begin(self, fault: str = "") -> None:
        """Let the target's store refuse, or have a fault, until the phase ends or the outage does.

        Raises:
            InconclusiveError: it was not taken down in time.
        """
        with self._clock.suspend_limit():
            await self._outages.begin(fault)

    async def end(self) -> None:
        """Let the target's store work again.

        Raises:
            InconclusiveError: it was not brought back in time.
        """
        with self._clock.suspend_limit():
            await self._outages.end()
