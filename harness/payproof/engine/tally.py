"""What a search of one source has come to: sightings by column, what was not read, and whether it is marked."""

import re
from dataclasses import dataclass, field, replace

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.domain.observation import Sighting
from payproof.scan.scanner import Found

__all__ = ["CANARY", "Tally"]

#: The detector of values of the run's own.
CANARY = "canary"

_DIGESTS = re.compile(r"(?:md5|sha1|sha256|sha512) in ")
_MOST = 200  # sightings that are told apart, of digests and of all else


@dataclass(slots=True)
class Tally:
    """The state of one search; ``mark`` fits what shows that it looks in the right place.

    ``unread`` is what could not be read, ``spent`` what there was no time for.
    """

    mark: re.Pattern[bytes]
    pieces: int = 0
    length: int = 0
    marked: bool = False
    unread: list[str] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    _seen: dict[tuple[str, str], Sighting] = field(default_factory=dict)
    _told: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """What was found, each value once for each column or file."""
        return tuple(self._seen.values())

    def look(self, text: bytes) -> None:
        """Look for the mark."""
        if not self.marked and self.mark.search(text):
            self.marked = True

    def note(self, column: str, where: str, found: Found) -> None:
        """Take what the scanner found in a column, at a place that may be shown."""
        if isinstance(found, Hit):
            self.add(column, where, found.kind, found.what, found.shown, found.confidence, found.path, found.times)
        else:
            # What cannot be unpacked (a bomb, an archive cut short) has not been searched.
            self.unread.append(f"{where}: {found.why}")

    def add(
        self,
        column: str,
        where: str,
        kind: str,
        what: str,
        shown: str,
        confidence: Confidence,
        path: tuple[str, ...],
        times: int = 1,
    ) -> None:
        """Take one find; what is found again in its column, written in the same way, is counted."""
        label, form = "", ""
        if kind == CANARY:
            form = what.rpartition("), ")[2] if "), " in what else ""
            sort, _, label = shown.strip("[]").partition(": ")
            what = f"{sort} ({label})"
        how = ", in ".join((form or "as it is", *reversed(path)))
        key = (f"{what} {how}", column)
        known = self._seen.get(key)
        if known is not None:
            self._seen[key] = replace(known, times=known.times + times)
            return
        digest = _DIGESTS.match(form) is not None
        # Of each sort for itself: a thousand plain values must not hide a digest.
        if self._told[digest] < _MOST:
            self._told[digest] += 1
            self._seen[key] = Sighting(kind, what, how, digest, where, confidence, label, shown, column, times)
