from payproof.domain.observation import MemorySeen
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.ports import MemoryMeter

__all__ = ["CaseMemory"]


class CaseMemory:
    """Measures the memory of the target's processes."""

    def __init__(self, meter: MemoryMeter | None, progress: PhaseProgress) -> None:
        self._meter, self._progress = meter, progress

    def begin(self) -> None:
        """Begin to measure how much of it they take."""
        if self._meter is not None:
            self._meter.begin()

    def end(self, largest: int) -> MemorySeen:
        """Return how much it grew at most."""
        measured = "nothing measures it" if self._meter is None else self._meter.end()
        if isinstance(measured, str):
            return MemorySeen(self._progress.step, 0, None, largest, measured)
        return MemorySeen(self._progress.step, *measured, largest)
