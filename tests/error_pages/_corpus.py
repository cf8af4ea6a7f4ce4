"""Pages that are kept: `fixtures/corpora/error_pages/*.http`, and what each shows in `index.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from payproof.domain.detector import Detector, Hit

__all__ = ["FOLDER", "Page", "found_in", "index", "parts"]

FOLDER = Path(__file__).parents[2] / "fixtures" / "corpora" / "error_pages"


@dataclass(frozen=True)
class Page:
    """A page's place in the index.

    ``program`` made it, one of `_programs.py`, or None where CI does not make it anew, as its framework is too heavy;
    ``version`` is that of the frameworks; ``leaks`` are the detectors of what it shows, none for a safe page.
    """

    name: str
    program: str | None
    version: str
    leaks: frozenset[str]

    @property
    def content(self) -> bytes:
        """The page as it is kept."""
        return (FOLDER / f"{self.name}.http").read_bytes()


def index() -> dict[str, Page]:
    """Return every page that is kept, by name."""
    told: Mapping[str, Mapping[str, object]] = json.loads((FOLDER / "index.json").read_text())
    return {name: Page(name, one["program"], one["version"], frozenset(one["leaks"])) for name, one in told.items()}


def parts(page: bytes) -> tuple[bytes, bytes]:
    """Return headers and body of a page, as the check `no_disclosure` hands them to detectors."""
    head, _, body = page.partition(b"\n\n")
    return head.partition(b"\n")[2], body


def found_in(detector: Detector, page: bytes) -> list[Hit]:
    """Return what a detector finds in a page that a finding would tell of."""
    return [hit for part in parts(page) for hit in detector.find(part) if hit.confidence != "low"]
