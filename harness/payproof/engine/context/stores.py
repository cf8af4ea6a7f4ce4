from collections.abc import Iterable, Sequence

from payproof.canary import Ledger
from payproof.domain.observation import RowSeen
from payproof.domain.source import Snapshot, Store
from payproof.domain.target import Target
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.patience import Patience
from payproof.engine.rows import show_rows
from payproof.engine.source_reads import take_snapshot
from payproof.stripe.placeholders import prefix_of

__all__ = ["CaseStores"]

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

    async def read_rows(self, ids: Iterable[str]) -> Sequence[RowSeen] | None:
        """Return the rows that hold one of some ids and were written since ``note``, or None where they are too many.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        own, found = tuple(ids), list[RowSeen]()
        for store, spec, before in zip(self._stores, self._target.stores, self._before, strict=True):
            kept = [one for one in (await self._look(store, before)).fresh if one.table not in spec.ignore]
            concealed = self._ledger.conceal_all((one.data, one.where) for one in kept)
            cells = (
                (one.table, one.column, data.decode("utf-8", "replace"))
                for one, (data, _) in zip(kept, concealed, strict=True)
            )
            rows = show_rows(cells, own, self._clock.now(), {})
            if rows is None:
                return None
            places = {f"{{{prefix_of(one)}}}" for one in own}
            found += [row for row in rows if any(text in places for _, text in row.cells)]
        return found

    async def _look(self, store: Store, before: Snapshot | None) -> Snapshot:
        return await take_snapshot(store, self._progress.ids, before, self._target.budget.seconds_of_case)
