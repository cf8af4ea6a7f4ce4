"""Finds values that are known beforehand, in every form and in every encoding that the search knows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence, Severity
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.detector import PreparedDetector
from payproof.scan.digits import MARGIN, find_numbers, prepare_view
from payproof.scan.scanner import Scanner
from payproof.scan.streams import Bits
from payproof.scan.view import View

__all__ = ["OwnValues", "Span", "ValueFinder"]


class OwnValues(PreparedDetector):
    """Looks for such values in one text; one without values of a run stands for those of each run."""

    name: ClassVar[str] = "canary"
    severity: ClassVar[Severity] = Severity.CRITICAL
    countable: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = ()
    negative: ClassVar[tuple[bytes, ...]] = ()

    def __init__(self, values: Canaries) -> None:
        self._values = values

    @property
    def anchor(self) -> Bits:
        """Where a value may stand."""
        return self._values.anchor

    def for_values(self, values: Canaries | None) -> "OwnValues | None":
        """Return the detector of a run's values; None where there are none."""
        return type(self)(values) if values is not None and values.values else None

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each value."""
        for hit in self.search(prepare_view(data, {f"detector {self.name}": self.anchor})):
            yield replace(hit, start=hit.start - MARGIN, end=hit.end - MARGIN)

    def search(self, view: View) -> Iterator[Hit]:
        """Return each value in a prepared text."""
        for place, form in self._values.find(view, view.places(f"detector {self.name}")):
            yield _make_hit(place, place + len(form.text), form.canary, form.how)
        for number in find_numbers(view) if self._values.numbers else ():
            known = self._values.numbers.get(number.digits)
            if known is not None:
                yield _make_hit(number.start, number.end, known, "as it is")


def _make_hit(start: int, end: int, canary: Canary, how: str) -> Hit:
    form = "" if how == "as it is" else how
    what, shown = f"{canary.kind} ({canary.label})", f"[{canary.kind}: {canary.label}]"
    return Hit(start, end, what, Confidence.CERTAIN, shown, form=form)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes that are a value, or hold it, and ``how`` it is written there, outermost encoding first."""

    start: int
    end: int
    kind: str
    label: str
    how: str


class ValueFinder:
    """Finds values, and the bytes that have to be replaced so that none of them is left."""

    def __init__(self, values: Iterable[Canary]) -> None:
        given = tuple(values)
        self._by_shown = {f"[{one.kind}: {one.label}]": one for one in given}
        self._scanner = Scanner([OwnValues(Canaries(given))], Confidence.CERTAIN) if given else None

    def spans(self, data: bytes) -> list[Span]:
        """Return the places of all values in order; none overlaps another."""
        if self._scanner is None:
            return []
        merged: list[Span] = []
        hits = (one for one in self._scanner.scan(data) if isinstance(one, Hit))
        for hit in sorted(hits, key=lambda one: (one.start, -one.end)):
            if merged and hit.start < merged[-1].end:
                merged[-1] = replace(merged[-1], end=max(merged[-1].end, hit.end))
                continue
            value = self._by_shown[hit.shown]
            how = ", ".join([*hit.path, *([hit.form] if hit.form else [])])
            merged.append(Span(hit.start, hit.end, value.kind, value.label, how))
        return merged
