from collections.abc import Callable, Iterator, Mapping, Sequence

from payproof.domain.entitlement import Beneficiary
from payproof.domain.observation import EntitlementSeen, Observation
from payproof.domain.source import Excerpt, Snapshot, Store
from payproof.domain.target import Target
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.patience import Patience
from payproof.engine.rows import divide_rows
from payproof.engine.source_reads import take_snapshot
from payproof.errors import InconclusiveError, Reason

__all__ = ["CaseEntitlement"]

_NOTHING = Snapshot({})
_NULL = "None"  # as stores tell it in a snapshot


class CaseEntitlement:
    """Looks at rows that show what somebody has, and remembers how long effects took to show in them."""

    def __init__(
        self,
        target: Target,
        stores: Sequence[Store],
        patience: Patience,
        progress: PhaseProgress,
        conceal: Callable[[str], str],
    ) -> None:
        self._target, self._stores = target, stores
        self._patience, self._progress, self._conceal = patience, progress, conceal

    async def read_column(self, store: str, column: str, where: Mapping[str, str]) -> Sequence[str]:
        """Return the texts that a column holds in the rows with some values.

        Raises:
            InconclusiveError: no store has such a table or column, or one cannot be read.
        """
        table, _, name = column.rpartition(".")
        named = [one for one in self._stores if store in {"", one.name}]
        for one in named:
            seconds = self._target.budget.seconds_of_case
            look = await take_snapshot(one, tuple(where.values()), _NOTHING, seconds)
            if table in look.tables:
                return [self._conceal(text) for text in _select(look.fresh, table, name, where)]
        detail = f"there is no table {table!r} in {', '.join(one.name for one in named) or 'any store'}"
        raise InconclusiveError(Reason.SOURCE_UNREADABLE, detail)

    def note(
        self, entitlement: str, whose: Beneficiary, *, granted: bool, told: str, spot: str, waited: float
    ) -> Observation:
        """Return what was seen, of the running step; what is granted after a wait tells how late effects show."""
        if granted and waited:
            self._patience.note_effect(waited, waited)
        return EntitlementSeen(self._progress.step, entitlement, whose, granted, told, spot, waited)


def _select(cells: Sequence[Excerpt], table: str, column: str, where: Mapping[str, str]) -> Iterator[str]:
    """Yield the texts of a column in the rows with some values; NULL is left out.

    Raises:
        InconclusiveError: the rows have no such column.
    """
    texts = ((one.table, one.column, one.data.decode("utf-8", "replace")) for one in cells if one.table == table)
    for row in divide_rows(texts):
        values = {name: text for _, name, text in row}
        missing = [name for name in (column, *where) if name not in values]
        if missing:
            raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"table {table} has no column {missing[0]!r}")
        if all(values[name] == text for name, text in where.items()) and values[column] != _NULL:
            yield values[column]
