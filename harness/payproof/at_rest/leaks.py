"""Makes leaks of what the scanner finds: with a severity, and no more of one sort than is of use."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.domain.leak import MOST_ALIKE, Leak, NotRead, Place, SearchEvent
from payproof.domain.tables import Column
from payproof.errors import Reason, record_fault
from payproof.registry import detectors
from payproof.scan.scanner import Found
from payproof.schema_audit import audit_columns

__all__ = ["contain_errors", "limit_alike", "make_event", "make_leak", "suspect_columns"]

#: What accepts the finding on its line, in code; those of gitleaks and detect-secrets are understood as well.
_ALLOWED = re.compile(rb"payproof:allow|gitleaks:allow|pragma: allowlist secret", re.IGNORECASE)


def make_leak(hit: Hit, place: Place, line: bytes = b"") -> Leak:
    """Return the leak that a hit at a place is; ``line`` is what stands on its line, as far as that is known."""
    severity = detectors()[hit.kind].severity_of(hit)
    leak = Leak(place, hit.kind, hit.what, hit.confidence, severity, hit.shown, hit.key, hit.form, hit.times)
    mark = _ALLOWED.search(line)
    return leak if mark is None else replace(leak, allowed=mark[0].decode().lower())


def make_event(found: Found, place: Place, line: bytes = b"") -> Leak | NotRead:
    """Return a leak, or what could not be read, at a place."""
    return make_leak(found, place, line) if isinstance(found, Hit) else NotRead(place, found.why)


def suspect_columns(
    place: Place, columns: Iterable[Column], keys: Iterable[Column], at_least: Confidence
) -> Iterator[Leak]:
    """Yield a leak for each column and JSON key that could hold payment data, whatever it holds."""
    for one in audit_columns(columns, keys):
        if one.confidence.rank >= at_least.rank:
            what = f"could hold {one.what}, by {one.why}"
            yield Leak(replace(place, field=one.column), "schema", what, one.confidence, one.severity)


def contain_errors(place: Place, events: Iterable[SearchEvent]) -> Iterator[SearchEvent]:
    """Yield events; an error on the way ends this place alone, which is then reported as not read."""
    try:
        yield from events
    except Exception as error:  # noqa: BLE001 (one file may not end the search of the others; the text could hold anything)
        yield NotRead(place, f"{Reason.HARNESS_FAULT.value}: {record_fault(error)}")


def limit_alike(events: Iterable[SearchEvent]) -> Iterator[SearchEvent]:
    """Yield events, but of leaks alike in one file or column only so many; one more leak counts the rest."""
    alike: Counter[tuple[str, ...]] = Counter()
    last: dict[tuple[str, ...], Leak] = {}
    for one in events:
        if not isinstance(one, Leak):
            yield one
            continue
        sort = (one.place.container, one.place.field, one.kind, one.confidence.value, one.what, one.form, one.allowed)
        alike[sort] += 1
        if alike[sort] <= MOST_ALIKE:
            yield one
        else:
            last.setdefault(sort, one)
    for alike_to, one in last.items():
        place = Place(one.place.source, one.place.part, table=one.place.table, field=one.place.field)
        yield replace(one, place=place, shown="", name="", count=alike[alike_to] - MOST_ALIKE)
