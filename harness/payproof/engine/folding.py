"""Folds the findings of a run into problems: pure, so that every report of a recorded run tells the same ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished
from payproof.domain.finding import Finding, Severity, Spot
from payproof.domain.problem import Problem, Sighting
from payproof.domain.spots import ALL_ANSWERS
from payproof.domain.target import Contract
from payproof.domain.verdict import Failed
from payproof.engine.kind_table import KIND_TABLE, KindEntry
from payproof.engine.remedies import find_remedy

__all__ = ["fold_findings"]

_PLACES = {kind: place for place, kind in enumerate(KIND_TABLE)}
_Key = tuple[str, Spot, str]


@dataclass(slots=True)
class _Heap:
    """The findings of one rule in one spot by one kind."""

    rule: str
    spot: Spot
    kind: str
    sightings: list[Sighting] = field(default_factory=list)
    seen_by: list[CaseFinished] = field(default_factory=list)
    also: list[str] = field(default_factory=list)
    must: bool = False
    severity: Severity = Severity.LOW
    reason: str = ""

    @property
    def entry(self) -> KindEntry | None:
        return KIND_TABLE.get(self.kind)


def fold_findings(contract: Contract, cases: Sequence[CaseFinished]) -> tuple[Problem, ...]:
    """Return the problems of a run, the gravest first, then those that the most cases have seen."""
    heaps: dict[_Key, _Heap] = {}
    for case in cases:
        for finding, must in _list_findings(case):
            rule = finding.rule or case.id.partition("[")[0]
            spot = finding.spot or Spot(Channel.HTTP, "the target")
            kind = finding.kind or finding.check
            heap = heaps.setdefault((rule, spot, kind), _Heap(rule, spot, kind))
            heap.sightings.append(Sighting(case.id, finding))
            heap.must = heap.must or must
            if not heap.seen_by or heap.seen_by[-1] is not case:
                heap.seen_by.append(case)
    rules: dict[str, CaseFinished] = {}
    for case in cases:
        # A crash makes a case graver than its rule, so the mildest case of a rule shows how grave that is.
        rule = case.id.partition("[")[0]
        rules[rule] = min(rules.get(rule, case), case, key=_rank_case)
    for heap in heaps.values():
        _weigh(contract, heap, rules)
    problems = [_make_problem(contract, heap, rules) for heap in _absorb([*heaps.values()], rules)]
    return tuple(sorted(problems, key=_place_in_report))


def _place_in_report(problem: Problem) -> tuple[Any, ...]:
    cases, spot = len(problem.cases), problem.spot
    return problem.advised, -problem.severity.rank, -cases, problem.rule, spot.channel, spot.name, problem.kind


def _list_findings(case: CaseFinished) -> Iterator[tuple[Finding, bool]]:
    """Yield each finding, and whether the target must mend it."""
    if isinstance(case.verdict, Failed):
        for finding in case.verdict.findings:
            yield finding, not case.verdict.advised
    for finding in case.passing:
        yield finding, True


def _weigh(contract: Contract, heap: _Heap, rules: Mapping[str, CaseFinished]) -> None:
    """Say how grave a heap is: by its kind, else by its rule, unless the contract says otherwise."""
    usual = heap.entry.severity_in(heap.spot.channel) if heap.entry is not None else None
    if usual is None:
        own = rules.get(heap.rule)
        usual = own.severity if own is not None else max(heap.seen_by, key=_rank_case).severity
    heap.severity = usual
    for change in contract.severities:
        if (
            fnmatchcase(heap.rule, change.rule)
            and change.kind in {"", heap.kind}
            and change.spot in {"", heap.spot.name}
        ):
            heap.severity, heap.reason = change.severity, change.reason


def _rank_case(case: CaseFinished) -> int:
    return case.severity.rank


def _absorb(heaps: list[_Heap], rules: Mapping[str, CaseFinished]) -> Iterator[_Heap]:
    """Yield the heaps that stand for themselves; what goes with a graver or more general one becomes part of it."""
    heaps.sort(key=lambda one: (-one.severity.rank, one.rule, one.kind, one.spot.channel, one.spot.name))
    causes: dict[int, _Heap] = {}
    for one in heaps:
        standing = (other for other in heaps if other is not one and _stands_for(other, one, rules))
        # Two rules may follow from each other, and one of them must stand for itself.
        cause = next((other for other in standing if _find_root(other, causes) is not one), None)
        if cause is not None:
            causes[id(one)] = cause
    for one in heaps:
        if (root := _find_root(one, causes)) is one:
            continue
        parts = (one.rule if one.rule != root.rule else "", one.kind if one.kind != root.kind else "")
        root.also.append(": ".join(filter(None, parts)))
        root.sightings += one.sightings
        known = set(map(id, root.seen_by))
        root.seen_by += [case for case in one.seen_by if id(case) not in known]
    yield from (one for one in heaps if id(one) not in causes)


def _find_root(heap: _Heap, causes: Mapping[int, _Heap]) -> _Heap:
    while id(heap) in causes:
        heap = causes[id(heap)]
    return heap


def _stands_for(cause: _Heap, one: _Heap, rules: Mapping[str, CaseFinished]) -> bool:
    """Whether a heap has the cause of another in its spot: a graver kind of its group, or a rule that implies it.

    Where the other's spot is wider, as of a log whose line is not known, what is of the same kind has the same cause,
    and so has what all answers show.
    What must be mended is no part of advice, and nothing is part of something milder.
    """
    of_all = cause.kind == one.kind and cause.spot == ALL_ANSWERS and one.spot.channel is Channel.HTTP
    if (
        not (of_all or _covers(cause.spot, one.spot))
        or (one.must and not cause.must)
        or cause.severity.rank < one.severity.rank
    ):
        return False
    case = rules.get(one.rule)
    follows = case is not None and cause.rule in case.follows_from
    if cause.rule != one.rule and not follows:
        return False
    if cause.kind == one.kind:
        return cause.rule != one.rule or cause.spot != one.spot
    groups = [heap.entry.group if heap.entry is not None else "" for heap in (cause, one)]
    return groups[0] == groups[1] != "" and _precedes(cause, one)


def _covers(cause: Spot, one: Spot) -> bool:
    """Whether a spot is another, or a finer one within it, such as a line of a log of which only the log is known."""
    return cause.channel is one.channel and (cause.name == one.name or _is_within(cause.name, one.name))


def _is_within(name: str, wider: str) -> bool:
    return name.startswith((f"{wider}: ", f"{wider}, "))


def _precedes(cause: _Heap, one: _Heap) -> bool:
    """Whether one kind of a group stands for another: the graver, and below high the first in the table of kinds.

    Above that nothing may be hidden behind what is as grave.
    """
    if cause.severity is not one.severity:
        return cause.severity.rank > one.severity.rank
    return cause.severity.rank < Severity.HIGH.rank and _PLACES[cause.kind] < _PLACES[one.kind]


def _make_problem(contract: Contract, heap: _Heap, rules: Mapping[str, CaseFinished]) -> Problem:
    owner = rules.get(heap.rule)
    first = min(heap.seen_by, key=lambda case: not case.id.startswith(f"{heap.rule}["))
    # What is neither in the table nor of a rule of this run has no title but its kind.
    title = owner.title if owner is not None else heap.kind[:1].upper() + heap.kind[1:]
    title = heap.entry.name_in(heap.spot.channel) if heap.entry is not None else title
    requirements: Iterable[str] = owner.requirements if owner is not None else ()
    remedy = find_remedy(heap.kind, heap.spot.channel, contract.framework, contract.sdk)
    # What is as grave as its rule says is of the rule; other kinds, such as no answer in time, are mended alike in all.
    if owner is not None and (heap.entry is None or heap.entry.severity_in(heap.spot.channel) is None):
        remedy = owner.remedy or remedy
    return Problem(
        rule=heap.rule,
        kind=heap.kind,
        spot=heap.spot,
        severity=heap.severity,
        title=title,
        remedy=remedy,
        sightings=tuple(heap.sightings),
        requirements=tuple(requirements),
        also=tuple(sorted({*heap.also} - {""})),
        advised=not heap.must,
        reason=heap.reason,
        repeat=first.repeat,
    )
