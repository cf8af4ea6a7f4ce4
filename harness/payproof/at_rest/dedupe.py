"""Drops what was reported before, of a database file that is given twice: as a database, and among the files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from payproof.domain.leak import Leak, NotRead, SearchEvent

__all__ = ["Dedupe"]

_SCHEME = "sqlite:"


class Dedupe:
    """Remembers what was found in the rows of database files, and drops it where the same file is read again.

    It drops an event as often as it came before, and no more: two leaks alike in one row are two.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Counter[SearchEvent]] = {}

    def remember(self, database: str, event: SearchEvent) -> None:
        """Remember an event of a database, given by its address."""
        file = _identify_file(Path(database.removeprefix(_SCHEME))) if database.startswith(_SCHEME) else None
        if file is not None and isinstance(event, Leak | NotRead):
            self._known.setdefault(file, Counter())[_strip_source(event)] += 1

    def drop_known(self, path: Path, events: Iterable[SearchEvent]) -> Iterator[SearchEvent]:
        """Yield the events of a file without those that were remembered."""
        known = self._known.get(_identify_file(path) or (0, 0), Counter())
        for event in events:
            same = _strip_source(event) if isinstance(event, Leak | NotRead) else None
            if same is not None and known[same] > 0:
                known[same] -= 1
            else:
                yield event


def _identify_file(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _strip_source(event: Leak | NotRead) -> SearchEvent:
    """Return an event without the name by which its file was given."""
    return replace(event, place=replace(event.place, source=""))
