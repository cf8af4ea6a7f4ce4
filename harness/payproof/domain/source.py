"""The family of sources: the places where a target leaves traces.

A store is watched: the engine takes a snapshot of it before and after each step, and compares the two. A log is
watched too: the engine reads what was written since a position. ``Tables`` (in ``payproof.domain.tables``) is a
database that is read through. Payproof writes into none of them.

A source is opened from a ``SourceSpec`` of the target file by its URL's scheme. A function that opens one stands in
``payproof/sources/<scheme>.py``, or in a folder of that name where its driver is an extra. ``@store_source``,
``@log_source`` and ``@table_source`` of ``payproof.registry`` register it. A source that cannot be read raises
``InconclusiveError``: an empty answer would pass for a clean one.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Excerpt", "Log", "Snapshot", "Source", "Store"]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Bytes from a source and the place they stand in; of a row's cell also its table and column."""

    where: str
    data: bytes = field(repr=False)
    table: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A store's state: for each table, how often each row digest occurs.

    ``fresh`` are the cells of the rows that the snapshot before did not have.
    """

    tables: Mapping[str, Mapping[bytes, int]]
    fresh: tuple[Excerpt, ...] = ()


class Source(ABC):
    """A place where a target leaves traces.

    ``name`` is what reports call it: the target file's name, or the address without a password.
    """

    name: str


class Store(Source):
    """A database that the target writes to; it is read only."""

    @abstractmethod
    async def snapshot(self, ids: Sequence[str], before: Snapshot | None) -> Snapshot:
        """Take the store's state; ``ids`` are the ids whose rows count in tables too big to read whole.

        Raises:
            InconclusiveError: the store cannot be read.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of the database."""


class Log(Source):
    """A log that the target writes to."""

    @abstractmethod
    async def position(self) -> Any:
        """Return the place where the log ends now.

        Raises:
            InconclusiveError: the log cannot be read.
        """

    @abstractmethod
    def since(self, position: Any) -> AsyncIterator[Excerpt]:
        """Yield the lines that were written after a position.

        Raises:
            InconclusiveError: the log cannot be read, or not from there.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of the log."""
