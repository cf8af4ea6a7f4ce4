"""A database as something to read through: its tables, their columns, and every value in them."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from payproof.domain.source import Source

__all__ = ["CELL", "OVERLAP", "Cell", "Column", "Table", "Tables"]

#: Bytes, or characters of a text, that are read of one value at a time; more of it comes in parts.
CELL = 1024 * 1024
#: What a part repeats of the one before it, so that nothing is cut by its end.
OVERLAP = 4096

#: A value and its place: the row's key as text (``id=5``), the column's name, the typed value.
Cell = tuple[str, str, object]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, with its type as the database declares it."""

    table: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name as target files say it, and about how many rows it has where that is known without counting."""

    name: str
    rows: int | None = None


class Tables(Source):
    """A database that is read whole, in sessions that cannot write; ``name`` is its address without a password."""

    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """Return all that holds rows.

        Raises:
            InconclusiveError: the database cannot be read.
        """

    @abstractmethod
    def columns(self) -> Sequence[Column]:
        """Return the columns of all tables.

        Raises:
            InconclusiveError: the database cannot be read.
        """

    @abstractmethod
    def rows(self, table: str, most: int | None = None) -> Iterator[Cell]:
        """Yield each value of a table that is not NULL, row by row, in bounded memory; times and booleans are left out.

        A row's key is its primary key, where it has none what the database itself tells rows apart by, else its number
        in this reading. A value that is larger than ``CELL`` comes in parts, as bytes or as the text that it is written
        as; each begins ``OVERLAP`` before the end of the last. With ``most`` only about so many rows are read: those
        with the first and the last keys.

        Raises:
            InconclusiveError: the table cannot be read, or not to its end.
        """

    @abstractmethod
    def interrupt(self) -> None:
        """Break off, for good, what another thread reads: it raises InconclusiveError there."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""
