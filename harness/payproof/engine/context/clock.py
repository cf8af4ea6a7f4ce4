import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from payproof.engine.ports import Clock

__all__ = ["CaseClock"]

_EARLY = 0.5


class CaseClock:
    """Time, waiting, and the limit of the case's time: ``limit`` is when that is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.limit: asyncio.Timeout | None = None

    def now(self) -> int:
        """Return the time in Unix seconds."""
        return int(self._clock.time())

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._clock.sleep(seconds)

    async def wait_for_early_second(self) -> None:
        """Wait, where needed, until most of the current second is still to come."""
        passed = self._clock.time() % 1
        if passed > _EARLY:
            await self._clock.sleep(1 - passed)

    @contextmanager
    def suspend_limit(self) -> Iterator[None]:
        """Take a time out of the case's budget: what takes it has one of its own."""
        started = self._clock.monotonic()
        ends = None if self.limit is None or self.limit.expired() else self.limit.when()
        if self.limit is not None and ends is not None:
            self.limit.reschedule(None)
        try:
            yield
        finally:
            if self.limit is not None and ends is not None:
                self.limit.reschedule(ends + self._clock.monotonic() - started)
