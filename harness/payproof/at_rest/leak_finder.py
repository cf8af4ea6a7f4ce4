"""Finds leaks in rows and in files on this machine, for the engine, as ``payproof scan`` does."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from payproof.at_rest.contents import search_file
from payproof.at_rest.leaks import make_event
from payproof.at_rest.named_values import SievingScanner, scan_named
from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, NotRead, Place, SearchEvent
from payproof.domain.sensitive import Secret
from payproof.domain.tables import Cell
from payproof.domain.target import SourceSpec
from payproof.errors import InconclusiveError, Reason, record_fault
from payproof.files.open_file import open_file
from payproof.files.walk import find_files, match_pattern
from payproof.registry import detectors_at_rest
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.own_values import OwnValues
from payproof.scan.values import scan_value, scan_values

__all__ = ["LocalLeakFinder"]

_CHUNK = 1024 * 1024


class LocalLeakFinder:
    """Finds leaks in rows, and in files of ``file:PATH``: a file, a folder, or a pattern such as ``*.log``.

    Args:
        secrets: the target's own, which a search for patterns names where it finds them.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._secrets = {secret.label: secret.reveal() for secret in secrets}
        self._offered: tuple[Canary, ...] = ()
        self._latest: tuple[tuple[Canary, ...] | None, SievingScanner] | None = None

    def know_offered(self, values: tuple[Canary, ...]) -> None:
        """Name these values where a search for patterns finds them: the run itself has offered them before."""
        if values != self._offered:
            self._offered, self._latest = values, None

    def check_control(self, canaries: tuple[Canary, ...] | None) -> None:
        """Find each canary in a text that holds it: what is not found there would not be found in a store.

        Raises:
            InconclusiveError: one is not found.
        """
        if canaries is None:
            return
        searcher, values = self._prepare(canaries), Canaries(canaries)
        missed = [one for one in values.values if not _finds(searcher, one.value)]
        if missed or values.too_short:
            detail = "a search does not find all canaries in a text that holds them"
            fault = InconclusiveError(Reason.HARNESS_FAULT, detail)
            record_fault(fault)
            raise fault

    def search_rows(
        self, canaries: tuple[Canary, ...] | None, table: Place, cells: Iterable[Cell]
    ) -> Iterator[Leak | NotRead]:
        """Search the values of a table; the place of a leak does not hold a row's key that is payment data itself."""
        searcher = self._prepare(canaries)
        # The run's canaries are known exactly. All else may need the column's name: it alone shows a CVC or a PIN.
        scan = scan_named if canaries is None else scan_values
        for (key, column), one in scan(searcher, (((key, column), column, value) for key, column, value in cells)):
            shown = "with such a key" if _finds(searcher, key) else key
            yield make_event(one, replace(table, field=column, key=shown, path=one.path))

    def search_files(
        self, canaries: tuple[Canary, ...] | None, spec: SourceSpec, progress: Callable[[str], None]
    ) -> Iterator[SearchEvent]:
        """Search each file of a place; a place that is not there comes as one that was not read.

        ``progress`` is called with a file's name again and again while it is read. What it raises ends the search.
        """
        searcher = self._prepare(canaries)
        pattern = spec.url.partition(":")[2]
        places = match_pattern(pattern)
        if not places:
            yield NotRead(Place(pattern), "there is no such file")
        seen: set[tuple[int, int]] = set()
        for place in places:
            for path, wrong in find_files(place, seen):
                if wrong:
                    yield NotRead(Place(str(path)), wrong)
                else:
                    report = partial(_report, progress, str(path))
                    report(0)
                    yield from search_file(path, searcher, report, lambda _: None, 1)

    def read_files(self, spec: SourceSpec) -> Iterator[bytes]:
        """Yield the bytes of each file of a place; what cannot be read is left out."""
        for place in match_pattern(spec.url.partition(":")[2]):
            for path, wrong in find_files(place, set()):
                if not wrong:
                    yield from _read_chunks(path)

    def _prepare(self, canaries: tuple[Canary, ...] | None) -> SievingScanner:
        """Return what finds the canaries, or payment data and secrets: the latest one again, where it is the same."""
        if self._latest is None or self._latest[0] != canaries:
            if canaries is None:
                secrets = Canaries.of_secrets(self._secrets).values
                known = Canaries((*secrets, *self._offered))
                searcher = SievingScanner(detectors_at_rest(known), Confidence.MEDIUM)
            else:
                own = [one for one in detectors_at_rest(Canaries(canaries)) if one.name == OwnValues.name]
                searcher = SievingScanner(own, Confidence.CERTAIN)
            self._latest = canaries, searcher
        return self._latest[1]


def _finds(searcher: SievingScanner, value: object) -> bool:
    return any(isinstance(one, Hit) for one in scan_value(searcher, "", value))


def _report(progress: Callable[[str], None], name: str, _size: int) -> None:
    progress(name)


def _read_chunks(path: Path) -> Iterator[bytes]:
    try:
        with open_file(path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError:
        return
