from collections.abc import Iterable, Sequence

from payproof.canary import Ledger
from payproof.domain.observation import RowSeen
from payproof.domain.source import Snapshot, Store
from payproof.domain.target import Target
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.patience import Patience
from payproof.engine.rows import divide_rows, show_rows
from payproof.engine.source_reads import take_snapshot

__all__ = ["CaseStores"]

_NOTHING = Snapshot({})
_WAIT = 0.001  # seconds between two looks: what is to be met may last for some milliseconds


class CaseStores:
    """Looks at the target's stores until they change, as often as a look allows."""

    def __init__(
        self,
        target: Target,
        stores: Sequence[Store],
        patience: Patience,
        progress: PhaseProgress,
        clock: CaseClock,
        ledger: Ledger,
    ) -> None:
        self._target, self._stores, self._patience = target, stores, patience
        self._progress, self._clock, self._ledger = progress, clock, ledger
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

    async def settle(self) -> None:
        """Wait as long as an effect may take that has to show in a store, as far as this run knows."""
        await self._clock.sleep(max(self._target.contract.settle, self._patience.seconds))

    async def read_rows(self, ids: Iterable[str], *, unchanged: bool) -> Sequence[RowSeen] | None:
        """Return the rows that hold one of some ids and were written since ``note``, or None where they are too many.

        With ``unchanged`` the others that hold one are among them.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        own, found = tuple(ids), list[RowSeen]()
        wanted = {one.encode() for one in own}
        for store, spec, before in zip(self._stores, self._target.stores, self._before, strict=True):
            fresh = (await self._look(store, _NOTHING if unchanged else before)).fresh
            cells = ((one.table, one.column, one.data) for one in fresh if one.table not in spec.ignore)
            named = [row for row in divide_rows(cells) if not wanted.isdisjoint(data for _, _, data in row)]
            concealed = iter(self._ledger.conceal_all((data, table) for row in named for table, _, data in row))
            shown = (
                (table, column, next(concealed)[0].decode("utf-8", "replace"))
                for row in named
                for table, column, _ in row
            )
            rows = show_rows(shown, own, self._clock.now(), {})
            if rows is None:
                return None
            found += rows
        return found

    async def _look(self, store: Store, before: Snapshot | None) -> Snapshot:
        return await take_snapshot(store, self._progress.ids, before, self._target.budget.seconds_of_case)
