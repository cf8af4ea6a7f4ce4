"""From what the scanner finds to what is told: how much it costs, and no more of one sort than is of use."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.domain.tables import Column
from payproof.domain.trace import MOST_ALIKE, NotRead, Place, Told, Trace
from payproof.errors import Reason, record_fault
from payproof.registry import detectors
from payproof.schema_audit import audited

__all__ = ["bounded", "contained", "suspects", "trace"]


def trace(hit: Hit, place: Place) -> Trace:
    """Return what is told of a hit."""
    severity = detectors()[hit.kind].severity_of(hit)
    return Trace(place, hit.kind, hit.what, hit.confidence, severity, hit.shown, hit.key, hit.times)


def suspects(place: Place, columns: Iterable[Column], keys: Iterable[Column], at_least: Confidence) -> Iterator[Trace]:
    """Yield what is told of columns and keys of JSON that could hold payment data, whatever they hold."""
    for one in audited(columns, keys):
        if one.confidence.rank >= at_least.rank:
            what = f"could hold {one.what}, by {one.why}"
            yield Trace(replace(place, field=one.column), "schema", what, one.confidence, one.severity)


def contained(place: Place, told: Iterable[Told]) -> Iterator[Told]:
    """Yield what is told; whatever else goes wrong on the way costs this place, which is told, and no other."""
    try:
        yield from told
    except Exception as error:  # noqa: BLE001 (one file may not end the search of the others; the text could hold anything)
        yield NotRead(place, f"{Reason.HARNESS_FAULT.value}: {record_fault(error)}")


def bounded(told: Iterable[Told]) -> Iterator[Told]:
    """Yield what is told, but of traces alike in one file or column only so many, and then how many more there are."""
    alike: Counter[tuple[str, ...]] = Counter()
    last: dict[tuple[str, ...], Trace] = {}
    for one in told:
        if not isinstance(one, Trace):
            yield one
            continue
        sort = (one.place.container, one.place.field, one.kind, one.confidence.value, one.what)
        alike[sort] += 1
        if alike[sort] <= MOST_ALIKE:
            yield one
        else:
            last.setdefault(sort, one)
    for alike_to, one in last.items():
        place = Place(one.place.source, one.place.part, table=one.place.table, field=one.place.field)
        yield replace(one, place=place, shown="", name="", count=alike[alike_to] - MOST_ALIKE)
