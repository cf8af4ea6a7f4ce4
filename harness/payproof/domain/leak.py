"""Leaks: payment data found by a search of data at rest, with its place; and what was searched or could not be read."""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from payproof.domain.detector import GUESSABLE, MADE_UP, PUBLISHED_TEST
from payproof.domain.finding import Confidence, Severity
from payproof.domain.verdict import ExitCode

__all__ = [
    "MOST_ALIKE",
    "OWN_VALUE",
    "Leak",
    "LeakStatus",
    "LeftOut",
    "NotRead",
    "Place",
    "ScanReport",
    "SearchEvent",
    "UnitSearched",
]

#: Leaks of one kind in one file or column that are reported one by one; the others are counted.
MOST_ALIKE = 1000

#: What the detector of a run's own values is called.
OWN_VALUE = "canary"

_DIGEST = re.compile(r"(?:md5|sha1|sha256|sha512) in ")
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
class Leak:
    """Payment data that was found; it does not hold the data itself.

    ``kind`` is the detector's name. ``shown`` is what may be shown of the data, and ``name`` the key before it.
    ``form`` says how a value of the run's own is written, where not as it is: ``reversed``, ``sha256 in hex``.
    ``count`` says how many there are, where they are not reported one by one. ``in_tree`` is the file's path in the
    work tree of a repository, where it stands in one, and ``allowed`` the mark on its line that accepts it there.
    """

    place: Place
    kind: str
    what: str
    confidence: Confidence
    severity: Severity
    shown: str = ""
    name: str = ""
    form: str = ""
    count: int = 1
    in_tree: str = ""
    allowed: str = ""

    @property
    def is_of_tests(self) -> bool:
        """Whether it is nobody's number or secret, in code: published, made up, or one that all would guess."""
        return bool(self.in_tree) and any(words in self.what for words in (PUBLISHED_TEST, MADE_UP, GUESSABLE))

    @property
    def sort(self) -> str:
        """The sort of data: the detector's name, or, of a value of the run's own, what that is."""
        return self.what.partition(" (")[0] if self.kind == OWN_VALUE else self.kind

    @property
    def label(self) -> str:
        """Which value of the run's own it is: where that was offered; empty of other data."""
        return self.what.partition(" (")[2].removesuffix(")") if self.kind == OWN_VALUE else ""

    @property
    def how(self) -> str:
        """How it is written: its form, and the encodings around it, such as ``sha256 in hex, in base64``."""
        return ", in ".join((self.form or "as it is", *reversed(self.place.path)))

    @property
    def is_digest(self) -> bool:
        """Whether it is a digest without a key of a value of the run's own."""
        return _DIGEST.match(self.form) is not None

    @property
    def fingerprint(self) -> str:
        """The same for the same data at the same place, wherever in a file it moves; letters only.

        Digits would be looked for card numbers in.
        """
        place = self.place
        source = self.in_tree or place.source  # however the path was given
        parts = (self.kind, source, *place.part, place.table, place.field, place.key, *place.path, self.shown)
        return blake2b("\0".join(parts).encode(), digest_size=10).hexdigest().translate(_LETTERS)


@dataclass(frozen=True, slots=True)
class NotRead:
    """A place that could not be searched, or not to its end, and why."""

    place: Place
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many files and folders below a place were not searched, as they are ignored or excluded."""

    place: Place
    count: int

    def __str__(self) -> str:
        return f"{self.place}: {self.count:,} files and folders that .gitignore or --exclude name"


@dataclass(frozen=True, slots=True)
class UnitSearched:
    """A file or table that was searched, with its size in bytes or its rows.

    ``unit`` names it for progress, and for a search that goes on later. ``of`` is about how many rows the table has.
    """

    unit: str
    size: int = 0
    rows: int = 0
    of: int | None = None
    sampled: bool = False


SearchEvent = Leak | LeftOut | NotRead | UnitSearched


class LeakStatus(StrEnum):
    """What a leak means for the exit code: only a new one breaks the rule."""

    NEW = "new"
    LISTED = "listed"
    KNOWN = "known"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class ScanReport:
    """All that a search has found, each leak with its status and the reason of its waiver.

    ``notes`` are lines for the owner, about waivers that are over or match nothing. ``interrupted`` says that the
    search was broken off.
    """

    leaks: tuple[tuple[Leak, LeakStatus, str], ...]
    unread: tuple[NotRead, ...]
    searched: tuple[UnitSearched, ...]
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    left_out: tuple[LeftOut, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """A new leak breaks the rule, whatever else; what was not read leaves it unknown."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if any(status is LeakStatus.NEW for _, status, _ in self.leaks):
            return ExitCode.BROKEN
        if self.unread:
            return ExitCode.UNKNOWN
        return ExitCode.HELD if self.searched else ExitCode.NOTHING_RAN
