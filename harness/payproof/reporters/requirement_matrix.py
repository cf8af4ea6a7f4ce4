"""Who asks for what, and what became of the cases that judge it: the requirements of a run by verdict."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.verdict import name_verdict
from payproof.reporters.whole_run import VERDICT_WORDS, WholeRun

__all__ = ["RequirementRow", "make_matrix"]

#: Whose requirements stand together: the first pattern that an id begins with.
_GROUPS = (
    ("PCI DSS", re.compile(r"PCI DSS")),
    ("OWASP", re.compile(r"OWASP")),
    ("CWE", re.compile(r"CWE-")),
    ("Stripe's documents", re.compile(r"Stripe\b")),
    ("Known incidents and defects", re.compile(r"CVE-|GHSA-|[\w.-]+#\d")),
)
_OTHERS = "Other documents"


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One requirement: how many cases that judge it came to what, and the problems that break it."""

    name: str
    counts: tuple[tuple[str, int], ...]
    problems: tuple[JudgedProblem, ...]

    @property
    def is_broken(self) -> bool:
        """Whether a case broke it, or a new problem does."""
        broken = any(number for verdict, number in self.counts if verdict == "failed")
        return broken or any(one.status is ProblemStatus.NEW for one in self.problems)


def make_matrix(run: WholeRun) -> list[tuple[str, list[RequirementRow]]]:
    """Return rows in groups by who asks; in each group by name, numbers in their order."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    problems: dict[str, set[JudgedProblem]] = defaultdict(set)
    breaking = _find_breaking(run)
    for case in run.cases:
        for name in case.requirements:
            found[name][name_verdict(case.verdict)] += 1
            problems[name] |= breaking.get(case.id, set())
    for one in run.problems:
        for name in one.problem.requirements:
            problems[name].add(one)
    groups: dict[str, list[RequirementRow]] = {name: [] for name in (*(name for name, _ in _GROUPS), _OTHERS)}
    for name in sorted({*found, *problems}, key=_order):
        counts = tuple((verdict, found[name][verdict]) for verdict in VERDICT_WORDS)
        ordered = sorted(problems[name], key=lambda one: one.number)
        groups[_name_group(name)].append(RequirementRow(name, counts, tuple(ordered)))
    return [(name, rows) for name, rows in groups.items() if rows]


def _find_breaking(run: WholeRun) -> dict[str, set[JudgedProblem]]:
    """Return the problems by which cases broke their own rules, also where another rule's problem stands for that."""
    breaking: dict[str, set[JudgedProblem]] = defaultdict(set)
    for one in run.problems:
        for sighting in one.problem.sightings:
            if sighting.finding.rule in {"", sighting.case.partition("[")[0]}:
                breaking[sighting.case].add(one)
    return breaking


def _name_group(name: str) -> str:
    return next((group for group, pattern in _GROUPS if pattern.match(name)), _OTHERS)


def _order(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
