"""Files of the places that a target file lists, read as ``payproof scan`` reads them: archives and databases too."""

from collections.abc import Iterator
from pathlib import Path

from harness.at_rest.contents import search_file
from harness.domain.target import SourceSpec
from harness.domain.trace import NotRead, Place, Told
from harness.files.walk import found, matching
from harness.scan.scanner import Scanner

__all__ = ["LocalFiles"]

_CHUNK = 1024 * 1024


class LocalFiles:
    """Files on this machine: ``file:PATH`` of a file or a folder, or with a pattern such as ``*.log``."""

    def search(self, spec: SourceSpec, scanner: Scanner) -> Iterator[Told]:
        """Search each file of a place; a place that is not there comes as one that was not read."""
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
                    yield from search_file(path, scanner, lambda _: None, lambda: None, 1)

    def chunks(self, spec: SourceSpec) -> Iterator[bytes]:
        """Yield the bytes of each file of a place; what cannot be read is left out."""
        for place in matching(spec.url.partition(":")[2]):
            for path, wrong in found(place, set()):
                if not wrong:
                    yield from _chunks(path)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError:
        return
