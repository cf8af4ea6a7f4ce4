"""Files of the places that a target file lists, read as ``payproof scan`` reads them: archives and databases too."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from payproof.at_rest.contents import search_file
from payproof.at_rest.named_values import Searcher, scan_named
from payproof.domain.detector import Detector
from payproof.domain.finding import Confidence
from payproof.domain.leak import NotRead, Place, SearchEvent
from payproof.domain.target import SourceSpec
from payproof.files.opened import opened
from payproof.files.walk import found, matching
from payproof.scan.scanner import Found, Scanner

__all__ = ["LocalFiles"]

_CHUNK = 1024 * 1024


class LocalFiles:
    """Files on this machine: ``file:PATH`` of a file or a folder, or with a pattern such as ``*.log``."""

    def searcher(self, detectors: Iterable[Detector], at_least: Confidence) -> Scanner:
        """Return what searches files, and values of named columns."""
        return Searcher(detectors, at_least)

    def values(
        self, scanner: Scanner, values: Iterable[tuple[tuple[str, str], str, object]]
    ) -> Iterator[tuple[tuple[str, str], Found]]:
        """Search values as they would be written with their columns' names, which alone tell a CVC or a PIN."""
        assert isinstance(scanner, Searcher)
        return scan_named(scanner, values)

    def search(self, spec: SourceSpec, scanner: Scanner, progress: Callable[[str], None]) -> Iterator[SearchEvent]:
        """Search each file of a place; a place that is not there comes as one that was not read.

        ``progress`` is told of each file again and again while it is read, and may end the search by what it raises.
        """
        assert isinstance(scanner, Searcher)
        pattern = spec.url.partition(":")[2]
        places = matching(pattern)
        if not places:
            yield NotRead(Place(pattern), "there is no such file")
        seen: set[tuple[int, int]] = set()
        for place in places:
            for path, wrong in found(place, seen):
                if wrong:
                    yield NotRead(Place(str(path)), wrong)
                else:
                    read = partial(_read, progress, str(path))
                    read(0)
                    yield from search_file(path, scanner, read, lambda _: None, 1)

    def chunks(self, spec: SourceSpec) -> Iterator[bytes]:
        """Yield the bytes of each file of a place; what cannot be read is left out."""
        for place in matching(spec.url.partition(":")[2]):
            for path, wrong in found(place, set()):
                if not wrong:
                    yield from _chunks(path)


def _read(progress: Callable[[str], None], name: str, _size: int) -> None:
    progress(name)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with opened(path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError:
        return
