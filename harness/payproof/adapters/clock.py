import asyncio
import time

__all__ = ["SystemClock"]


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Return the wall clock in Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
