from collections.abc import Sequence

from payproof.domain.source import Snapshot, Store
from payproof.domain.target import Budget
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.source_reads import take_snapshot

__all__ = ["CaseStores"]

_WAIT = 0.001  # seconds between two looks: what is to be met may last for some milliseconds


class CaseStores:
    """Looks at the target's stores until they change, as often as a look allows."""

    def __init__(self, stores: Sequence[Store], budget: Budget, progress: PhaseProgress, clock: CaseClock) -> None:
        self._stores, self._budget = stores, budget
        self._progress, self._clock = progress, clock
        self._before: list[Snapshot] = []

    async def note(self) -> None:
        """Take the state from which a change is one.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        self._before = [await self._look(store, None) for store in self._stores]

    async def wait_for_change(self, seconds: float) -> None:
        """Return as soon as a store shows another state, or when so many seconds have passed.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        until = self._clock.monotonic() + seconds
        while self._clock.monotonic() < until:
            for store, before in zip(self._stores, self._before, strict=True):
                if (await self._look(store, before)).tables != before.tables:
                    return
            await self._clock.sleep(_WAIT)

    async def _look(self, store: Store, before: Snapshot | None) -> Snapshot:
        return await take_snapshot(store, self._progress.ids, before, self._budget.seconds_of_case)
