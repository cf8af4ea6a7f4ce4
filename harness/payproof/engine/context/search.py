from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from payproof.aside import GRACE, aside
from payproof.domain.observation import Channel, Observation
from payproof.domain.target import Budget
from payproof.engine.context.canaries import CaseCanaries
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.ports import WishList
from payproof.engine.search_at_rest import SearchAtRest
from payproof.engine.watching import Watch
from payproof.errors import InconclusiveError, Reason

__all__ = ["CaseSearch"]


class CaseSearch:
    """Reads what the target keeps, in a thread of its own and in a time of its own."""

    def __init__(
        self, at_rest: SearchAtRest, budget: Budget, progress: PhaseProgress, clock: CaseClock, canaries: CaseCanaries
    ) -> None:
        self._at_rest, self._budget, self._progress = at_rest, budget, progress
        self._clock, self._canaries = clock, canaries
        self._watch = Watch()

    async def search(self, places: Iterable[Channel], *, patterns: bool) -> Sequence[Observation]:
        """Search all stores, logs or files.

        Raises:
            InconclusiveError: a source cannot be read, or held the search longer than the budget allows.
        """
        marks = tuple(self._progress.accepted) if self._progress.sent else None
        wish = WishList(tuple(places), None if patterns else tuple(self._canaries.wanted), marks)
        return await self._read(lambda: self._at_rest.find_leaks(self._progress.step, wish))

    def watch(self, attribute: str, which: int, forms: Iterable[str], *, whole: bool = True) -> None:
        """Have ``count`` count a value by column."""
        self._watch.add(attribute, which, forms, whole=whole)

    async def count(
        self, moment: Literal["before", "after", "early", "purged"], about: str = ""
    ) -> Sequence[Observation]:
        """Count by column, in all stores, the values that are watched; ``about`` is the table that it is done for.

        Raises:
            InconclusiveError: a store cannot be read, or not in the time that the budget allows.
        """
        return await self._read(lambda: self._at_rest.count_values(self._progress.step, self._watch, moment, about))

    async def read_columns(self) -> Sequence[Observation]:
        """Look which columns of all stores could hold payment data.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        return await self._read(lambda: self._at_rest.list_columns(self._progress.step))

    async def _read(self, work: Callable[[], Sequence[Observation]]) -> Sequence[Observation]:
        """Read through what the target holds, and break that off where it hangs."""
        seconds = self._budget.search_seconds
        with self._clock.suspend_limit():
            self._at_rest.begin()
            try:
                return await aside(work, interrupt=self._at_rest.interrupt, seconds=seconds)
            except TimeoutError:
                detail = f"a source has not let go {GRACE:g} s after the {seconds:g} s of search_seconds of [budget]"
                raise InconclusiveError(Reason.BUDGET_SPENT, detail) from None
