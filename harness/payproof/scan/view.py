"""A text prepared for every detector: which bytes are what, computed once and shared."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from payproof.domain.finding import Confidence
from payproof.scan.compiled import Runs
from payproof.scan.streams import Places

__all__ = ["GUARD", "Looks", "View"]

#: Stands before, after and between texts: no detector's value holds it, and none looks further than it is long.
GUARD = b"\x7f" * 64


class View:
    """Some bytes to search, with at least a guard's length of other bytes at both ends.

    They are ``data[begin:end]``, and all places are offsets into ``data``. It is valid until its machine loads another
    text. ``starts`` and ``columns`` say where each of the texts in it begins and what that text as a whole is called (a
    database's column, or the key before an encoded value). What is less sure
    than ``at_least`` need not be found. At single values of one sort in one text a
    detector may look ``most`` times (``Looks``).
    """

    def __init__(
        self,
        data: bytes | bytearray,
        machine: Runs,
        *,
        begin: int = 0,
        end: int | None = None,
        starts: Sequence[int] = (0,),
        columns: Sequence[str] = ("",),
        at_least: Confidence = Confidence.LOW,
        most: int | None = None,
    ) -> None:
        self.data = data
        self.begin, self.end = begin, len(data) if end is None else end
        self.bytes = np.frombuffer(data, np.uint8)
        self.at_least = at_least
        self.most = most
        #: From where on something was not looked at, and what.
        self.unread: list[tuple[int, str]] = []
        self._starts = starts
        self._columns = columns
        self._machine = machine
        machine.load(self.bytes[self.begin : self.end])
        self._load = machine.loaded
        self._places: dict[str, Places] = {}
        #: What one detector has made of the text and others may use, by a name of its own.
        self.made: dict[str, Any] = {}

    def places(self, name: str) -> Places:
        """Return where one of the machine's expressions is true, without the ends."""
        known = self._places.get(name)
        if known is None:
            assert self._load == self._machine.loaded, "the machine has another text"
            known = self._machine.places(name)
            if known.size:
                known += self.begin
                first, end = self.begin + len(GUARD), self.end - len(GUARD)
                if known[0] < first or known[-1] >= end:
                    inner = np.searchsorted(known, (first, end))
                    known = known[inner[0] : inner[1]]
            self._places[name] = known
        return known

    def column(self, place: int) -> str:
        """Return what the text at a place is called."""
        return self._columns[bisect_right(self._starts, place) - 1]

    def within(self, place: int, left: int, right: int) -> tuple[int, int]:
        """Return as much of a stretch as belongs to the text that a place is in."""
        start = self._starts[bisect_right(self._starts, place) - 1]
        return max(left, self.begin, start), min(right, self.following(place) - len(GUARD))

    def following(self, place: int) -> int:
        """Return where the text after the one that a place is in begins, or the end."""
        number = bisect_right(self._starts, place)
        return self._starts[number] if number < len(self._starts) else self.end

    def words(self, places: Places, later: int = 0) -> npt.NDArray[np.uint64]:
        """Return the eight bytes from so many bytes after (or before) each place on, the first one lowest."""
        every = np.ndarray(self.bytes.size - 7, np.dtype("<u8"), self.bytes, strides=(1,))
        return every[places + later]

    def every(self, count: int) -> npt.NDArray[np.uint64]:
        """Return each so many bytes of the text, from its beginning on, the eight bytes there, the first one lowest."""
        return np.ndarray(
            (self.end - self.begin) // count, np.dtype("<u8"), self.bytes, offset=self.begin, strides=(count,)
        )

    def rows(self, places: Places, width: int, later: int = 0) -> npt.NDArray[np.uint8]:
        """Return so many bytes from so many bytes after (or before) each place on, a row each."""
        every: npt.NDArray[Any] = np.ndarray(self.bytes.size - width + 1, f"V{width}", self.bytes, strides=(1,))
        return every[places + later].view(np.uint8).reshape(-1, width)


class Looks:
    """Counts the looks at single values of a sort in each text of a view; what is beyond the bound is reported."""

    def __init__(self, view: View, what: str) -> None:
        self._view = view
        self._what = what
        self._count = 0
        self._end = 0

    def may_look(self, place: int) -> bool:
        """Whether there may be one more look, at a place that is not before the last one's text."""
        view = self._view
        if view.most is None:
            return True
        if place >= self._end:
            self._end = view.following(place)
            self._count = 0
        self._count += 1
        if self._count == view.most + 1:
            told = place, f"more than {view.most} {self._what} in one block"
            if told not in view.unread:
                view.unread.append(told)
        return self._count <= view.most
