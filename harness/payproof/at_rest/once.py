"""What is told once of a database file that is given twice: as a database, and among the files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from payproof.domain.trace import NotRead, Searched, Told, Trace

__all__ = ["Once"]

_SCHEME = "sqlite:"


class Once:
    """Remembers what the rows of database files have told, and leaves that out where the same file is read again.

    As often as it was told before, and no more: two alike in one row are two.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[int, int], Counter[Told]] = {}

    def remember(self, database: str, told: Told) -> None:
        """Remember what was told of a database, given by its address."""
        place = _place(Path(database.removeprefix(_SCHEME))) if database.startswith(_SCHEME) else None
        if place is not None and not isinstance(told, Searched):
            self._told.setdefault(place, Counter())[_anywhere(told)] += 1

    def rest(self, path: Path, told: Iterable[Told]) -> Iterator[Told]:
        """Yield what is told of a file but for what was remembered."""
        known = self._told.get(_place(path) or (0, 0), Counter())
        for one in told:
            same = None if isinstance(one, Searched) else _anywhere(one)
            if same is not None and known[same] > 0:
                known[same] -= 1
            else:
                yield one


def _place(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _anywhere(told: Trace | NotRead) -> Told:
    """Return what is told without the name by which its file was given."""
    return replace(told, place=replace(told.place, source=""))
