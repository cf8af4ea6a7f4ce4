"""The work that all stores share: digest rows, count them by table, and keep those that the look before lacked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import takewhile
from operator import eq

from payproof.domain.source import Excerpt, Snapshot

__all__ = ["WHOLE_TABLE_ROWS", "Fingerprint", "KnownRows", "LastLook"]

#: A bigger table is judged by the rows with the run's ids and by how many others there are.
WHOLE_TABLE_ROWS = 10_000
_OTHERS = b"rows without this run's ids"


class KnownRows:
    """The rows of a store's last look with their digests, so that only rows that are new are digested."""

    def __init__(self) -> None:
        self._tables: dict[str, tuple[list[Sequence[object]], list[bytes]]] = {}

    def digest(self, table: str, rows: list[Sequence[object]]) -> list[bytes]:
        """Return the digest of each row; of those that begin and end the table as at the last look, the one known."""
        earlier, digests = self._tables.get(table, ([], []))
        if rows != earlier:
            first = _count_equal(rows, earlier)
            last = _count_equal(reversed(rows[first:]), reversed(earlier[first:]))
            fresh = [blake2b(repr(row).encode(), digest_size=16).digest() for row in rows[first : len(rows) - last]]
            digests = [*digests[:first], *fresh, *digests[len(digests) - last :]]
        self._tables[table] = rows, digests
        return digests


class Fingerprint:
    """One look into a store, table by table.

    ``before`` is the look to compare with; ``busy`` says that others change the store, so that only rows with the run's
    ids count; ``known`` are the rows of the store's last look, which become those of this one.
    """

    def __init__(self, before: Snapshot | None, known: KnownRows, *, busy: bool) -> None:
        self.narrowed = False
        self._known = known
        self._before: Mapping[str, Mapping[bytes, int]] | None = None if before is None else before.tables
        self._busy = busy
        self._tables: dict[str, dict[bytes, int]] = {}
        self._fresh: list[Excerpt] = []

    def narrows(self, table: str, total: int) -> bool:
        """Whether to read only the rows with the run's ids, of a table with so many rows; 10,001 stand for any more.

        What the look before did is done again: otherwise a table that has just become big would look as if each of its
        rows had changed.
        """
        earlier = None if self._before is None else self._before.get(table)
        return self._busy or (total > WHOLE_TABLE_ROWS if earlier is None else _OTHERS in earlier)

    def add(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, others_of: int | None = None
    ) -> None:
        """Digest a table's rows.

        Args:
            table: its name, as the target file would name it.
            columns: their names.
            rows: all rows, or those with the run's ids; values are bytes, or print the same whenever they are the same.
            others_of: where rows were chosen by ids, how many the table has in all.
        """
        read = list(rows)
        digests = self._known.digest(table, read)
        counted = self._tables[table] = dict(Counter(digests))
        if self._before is not None:
            earlier = self._before.get(table, {})
            for row, digest in zip(read, digests, strict=True):
                if digest not in earlier:
                    self._fresh.extend(_read_cells(table, columns, row))
        if others_of is not None:
            self.narrowed = True
            if not self._busy:
                counted[_OTHERS] = others_of - len(read)

    def snapshot(self) -> Snapshot:
        """Return what was seen."""
        return Snapshot(self._tables, tuple(self._fresh))


class LastLook:
    """The last look at a whole store, which is also the next one while the store's version is the same."""

    def __init__(self) -> None:
        self._latest: tuple[object, Mapping[str, Mapping[bytes, int]]] | None = None

    def still_true(self, version: object, before: Snapshot | None) -> Snapshot | None:
        """Return the state if nothing has changed since the last look, and the look before is that one or none."""
        if self._latest is None or version is None or self._latest[0] != version:
            return None
        unchanged = self._latest[1]
        return Snapshot(unchanged) if before is None or before.tables is unchanged else None

    def keep(self, version: object, seen: Fingerprint) -> Snapshot:
        """Remember a look and return it; a ``version`` of None says that the store cannot tell."""
        snapshot = seen.snapshot()
        # Where rows were chosen by ids, the next ids choose others.
        self._latest = None if seen.narrowed or version is None else (version, snapshot.tables)
        return snapshot


def _count_equal(some: Iterable[object], others: Iterable[object]) -> int:
    """Return how many of the first values are equal."""
    return sum(1 for _ in takewhile(bool, map(eq, some, others)))


def _read_cells(table: str, columns: Sequence[str], row: Sequence[object]) -> Iterator[Excerpt]:
    """Yield the cells of a row as bytes to search."""
    for column, value in zip(columns, row, strict=True):
        data = value if isinstance(value, bytes) else str(value).encode()
        yield Excerpt(f"table {table}, column {column}", data, table, column)
