"""How a problem is told to people, the same in the terminal, in pytest and in JUnit."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from payproof.domain.events import CaseFinished
from payproof.domain.problem import JudgedProblem, Problem, ProblemStatus
from payproof.reporters.phrasing import name_some, one_line
from payproof.reporters.whole_run import list_findings

__all__ = [
    "count_cases",
    "describe_findings",
    "describe_problem",
    "describe_status",
    "name_problems",
    "name_seen",
    "name_source",
    "tell_title",
]

_MOST_SEEN = 3
_LONGEST_SEEN = 90


def tell_title(judged: JudgedProblem) -> str:
    """Return one line: how grave the problem is, what it is, and which rule it breaks."""
    problem = judged.problem
    return one_line(f"{problem.severity.upper()}  {problem.title} ({problem.rule})")


def describe_problem(judged: JudgedProblem) -> list[str]:
    """Return a problem in a few lines, without its title: where, what of it was seen, how to mend and to repeat it."""
    return [one_line(f"{word:<6} {text}") for word, text in _parts(judged)]


def _parts(judged: JudgedProblem) -> Iterator[tuple[str, str]]:
    problem = judged.problem
    yield "where", str(problem.spot)
    yield "seen", describe_seen(problem)
    if problem.also:
        yield "also", name_some(problem.also, _MOST_SEEN)
    if status := describe_status(judged):
        yield "status", status
    if problem.remedy:
        yield "mend", problem.remedy
    if problem.requirements:
        yield "asked", ", ".join(problem.requirements)
    yield "again", problem.repeat


def describe_findings(case: CaseFinished) -> Iterator[str]:
    """Yield what was expected and seen by each finding of a case, with its evidence, a line each."""
    for one in list_findings(case):
        rule = "" if one.rule == case.id.partition("[")[0] else f", which counts against {one.rule}"
        yield one_line(f"expected  {one.expected}")
        yield one_line(f"seen      {one.seen} ({one.check}, step {one.step}{rule})")
        for evidence in one.evidence:
            yield from (one_line(f"          {line}") for line in evidence.splitlines())


def describe_seen(problem: Problem) -> str:
    """Return what was seen, what was expected where the kind does not say it, and how many cases have seen it."""
    first = problem.sightings[0].finding
    expected = f"expected {first.expected}" if problem.kind == first.check else ""
    return "; ".join(filter(None, (name_seen(problem), expected, count_cases(problem))))


def name_seen(problem: Problem) -> str:
    """Return the distinct things that were seen, the most frequent first; the first few of them."""
    own = [one.finding for one in problem.sightings if one.finding.kind in {problem.kind, ""}]
    seen = Counter(one.what or one.seen for one in own)
    return name_some([_shorten(text) for text, _ in seen.most_common()], _MOST_SEEN)


def count_cases(problem: Problem) -> str:
    """Return how many cases have seen a problem, or which one; nothing of one that no case sees."""
    cases = problem.cases
    return f"{len(cases)} cases" if len(cases) > 1 else "".join(cases)


def describe_status(judged: JudgedProblem) -> str:
    """Return what a reader should know beside the severity: known, waived or advice, or changed by the contract."""
    told = {
        ProblemStatus.NEW: "",
        ProblemStatus.KNOWN: "known by the baseline",
        ProblemStatus.WAIVED: f"waived: {judged.why}",
        ProblemStatus.ADVISED: "advice: the target should, and need not, mend it",
    }[judged.status]
    changed = f"the contract says {judged.problem.severity}: {judged.problem.reason}" if judged.problem.reason else ""
    return "; ".join(filter(None, (told, changed)))


def name_problems(problems: Sequence[JudgedProblem]) -> str:
    """Return one line that names problems by number, title and place."""
    told = [f"problem {one.number}: {one.problem.title} ({one.problem.spot})" for one in problems]
    return one_line(name_some(told, _MOST_SEEN))


def name_source(requirements: Iterable[str]) -> str:
    """Return who asks for a rule: the first of the standards, else of the others."""
    known = [*requirements]
    standards = [one for one in known if one.startswith(("PCI DSS", "OWASP"))]
    return name_some(standards or known, 2)


def _shorten(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST_SEEN else line[: _LONGEST_SEEN - 1] + "…"
