"""Files of a place, as pieces to search: one file, all that a pattern fits, or all below a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from harness.domain.target import SourceSpec

__all__ = ["FilePiece", "pieces"]

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FilePiece:
    """One file, read as it is; what is compressed or encoded in it is for the search to undo."""

    path: str

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes.

        Raises:
            OSError: it cannot be read.
        """
        with Path(self.path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def pieces(spec: SourceSpec) -> Iterator[FilePiece]:
    """Yield the files of ``file:PATH``, where the path is that of a file or a folder, or a pattern such as ``*.log``.

    A place that is not there, or that a pattern fits nothing at, comes as the one file that cannot be read.
    """
    place = spec.url.partition(":")[2]
    found = sorted(glob(place, recursive=True)) or [place]  # noqa: PTH207 (absolute patterns, which pathlib refuses)
    for path in map(Path, found):
        if path.is_dir():
            # Links are not followed: they may lead out of the place, or round in circles.
            inner = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
            yield from (FilePiece(str(one)) for one in inner)
        else:
            yield FilePiece(str(path))
