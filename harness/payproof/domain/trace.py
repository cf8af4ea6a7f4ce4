"""What a search of data at rest tells: traces of payment data with their places, what was read, and what was not."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from payproof.domain.finding import Confidence, Severity
from payproof.domain.verdict import ExitCode

__all__ = ["MOST_ALIKE", "NotRead", "Place", "ScanReport", "Searched", "Standing", "Told", "Trace"]

#: Traces of one kind in one file or column that are told one by one; the others are counted.
MOST_ALIKE = 1000

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: in a file, or in a store.

    ``source`` is a file's path, or a store's address without a password; ``part`` leads into archives, outermost first;
    ``line`` and ``column`` count from 1, ``column`` in bytes; ``path`` are the encodings, outermost first, and
    ``within`` is the offset in what was decompressed on the way. Of a store it is a table, a ``field`` and a row's
    ``key``.
    """

    source: str
    part: tuple[str, ...] = ()
    line: int | None = None
    column: int | None = None
    table: str = ""
    field: str = ""
    key: str = ""
    path: tuple[str, ...] = ()
    within: int | None = None

    @property
    def container(self) -> str:
        """The file with its part, or the store's table."""
        where = " > ".join((self.source, *self.part))
        return f"{where} table {self.table}" if self.table else where

    def __str__(self) -> str:
        text = self.container
        if self.line is not None:
            text += f":{self.line}" + ("" if self.column is None else f":{self.column}")
        text += f" field {self.field}" if self.field else ""
        text += f" row {self.key}" if self.key else ""
        text += f" in {' in '.join(reversed(self.path))}" if self.path else ""
        return text


@dataclass(frozen=True, slots=True)
class Trace:
    """Payment data that was found, without it: ``shown`` is what may be shown; ``name`` stands before it.

    ``count`` says that it stands for so many more of its kind that were not told one by one.
    """

    place: Place
    kind: str
    what: str
    confidence: Confidence
    severity: Severity
    shown: str = ""
    name: str = ""
    count: int = 1

    @property
    def fingerprint(self) -> str:
        """The same for the same data at the same place, wherever in a file it moves; letters only.

        Digits would be looked for card numbers in.
        """
        place = self.place
        parts = (self.kind, place.source, *place.part, place.table, place.field, place.key, *place.path, self.shown)
        return blake2b("\0".join(parts).encode(), digest_size=10).hexdigest().translate(_LETTERS)


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something that could not be searched, or not to its end, and why."""

    place: Place
    why: str


@dataclass(frozen=True, slots=True)
class Searched:
    """A file or table that was searched: its bytes, or its values and rows; ``of`` is about how many rows there are.

    ``unit`` names it for progress and for a search that goes on later.
    """

    unit: str
    size: int = 0
    rows: int = 0
    of: int | None = None
    sampled: bool = False


Told = Trace | NotRead | Searched


class Standing(StrEnum):
    """What a trace means for the exit code: only a new one breaks the rule."""

    NEW = "new"
    LISTED = "listed"
    KNOWN = "known"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class ScanReport:
    """All that a search has told, each trace with its standing, and the reason of a waiver.

    ``notes`` are lines for the owner: of waivers that are over, or match nothing. ``interrupted`` says that the search
    was broken off.
    """

    traces: tuple[tuple[Trace, Standing, str], ...]
    unread: tuple[NotRead, ...]
    searched: tuple[Searched, ...]
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """A new trace breaks the rule, whatever else; what was not read leaves it unknown."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if any(standing is Standing.NEW for _, standing, _ in self.traces):
            return ExitCode.BROKEN
        if self.unread:
            return ExitCode.UNKNOWN
        return ExitCode.HELD if self.searched else ExitCode.NOTHING_RAN
