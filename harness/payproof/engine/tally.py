"""Adds up what a search of one source has found: leaks by place, what was not read, and whether a mark was seen."""

import re
from dataclasses import dataclass, field, replace

from payproof.domain.leak import Leak, NotRead, Place

__all__ = ["Tally"]

_MOST = 200  # leaks that are reported apart, of digests and of all else


@dataclass(slots=True)
class Tally:
    """The state of one search; ``mark`` fits what shows that it looks in the right place.

    ``unread`` is what could not be read, ``spent`` what there was no time for.
    """

    mark: re.Pattern[bytes]
    pieces: int = 0
    length: int = 0
    marked: bool = False
    unread: list[NotRead] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    _leaks: dict[tuple[Place, str, str], Leak] = field(default_factory=dict)
    _counts: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """The leaks that were found, each value once for each column or place in a file."""
        return tuple(self._leaks.values())

    def look(self, text: bytes) -> None:
        """Look for the mark."""
        if not self.marked and self.mark.search(text):
            self.marked = True

    def add(self, one: Leak | NotRead) -> None:
        """Add a leak, counted where its column has it already in the same form; or what was not read.

        What cannot be unpacked (a bomb, an archive cut short) has not been searched.
        """
        if isinstance(one, NotRead):
            self.unread.append(one)
            return
        key = (replace(one.place, key="", path=(), within=None), one.what, one.how)
        known = self._leaks.get(key)
        if known is not None:
            self._leaks[key] = replace(known, count=known.count + one.count)
        # Digests are counted apart: a thousand plain values must not hide one.
        elif self._counts[one.is_digest] < _MOST:
            self._counts[one.is_digest] += 1
            self._leaks[key] = one
