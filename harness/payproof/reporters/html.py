"""A run as one HTML page for people, which loads nothing and runs no script but its own.

The problems are whole in the markup. What is told of each case, of which there may be thousands, is data that the
page's script shows when it is asked for; a browser makes text of it, never markup.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from payproof.domain.finding import Severity
from payproof.domain.problem import JudgedProblem, ProblemStatus, Sighting
from payproof.domain.verdict import Failed, Passed
from payproof.domain.wants import WANTS
from payproof.reporters.page_data import MOST_LINES, collect_data, cut_text, dump_data, split_lines
from payproof.reporters.phrasing import describe_calibration, describe_target, name_some, one_line, story
from payproof.reporters.problem_text import describe_seen, describe_status
from payproof.reporters.requirement_matrix import make_matrix
from payproof.reporters.whole_run import ENDINGS, VERDICT_WORDS, WholeRun, group_topics

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["write_html"]

_MOST_SIGHTINGS = 5
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A problem with what the page tells of it beside its own fields."""

    judged: JudgedProblem
    topic: str
    seen: str
    cases: int
    also: str
    note: str
    first: str
    story: Sequence[str]
    story_more: int
    sightings: Sequence[Sighting]
    sightings_more: int


def write_html(run: WholeRun) -> str:
    """Return the page."""
    from markupsafe import Markup  # noqa: PLC0415 (comes with jinja2, which no other report wants)

    style, script = _read_part("page.css"), _read_part("page.js")
    started, problems = run.started, run.problems
    new = [one for one in problems if one.status is ProblemStatus.NEW]
    severities = Counter(one.problem.severity for one in new)
    statuses = Counter(one.status for one in problems if one.status is not ProblemStatus.NEW)
    indices = {case.id: index for index, case in enumerate(run.cases)}
    return _load_page().render(
        policy=_make_policy(style, script),
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        data=Markup(dump_data(collect_data(run))),  # noqa: S704 (no angle bracket is left in it)
        started=started,
        what=describe_target(started.target, started.environment, started.url, started.file),
        headline=run.headline,
        ending=ENDINGS[run.finished.exit_code],
        ending_class=run.finished.exit_code.name.lower(),
        severities=[(one, severities[one]) for one in reversed(Severity) if severities[one]],
        statuses=[*statuses.items()],
        verdicts=[
            (word, number) for name, word in VERDICT_WORDS.items() if (number := run.finished.counts.get(name, 0))
        ],
        problems=[*_view_problems(run)],
        number_of_cases=len(run.cases),
        judged=any(isinstance(case.verdict, Passed | Failed) for case in run.cases),
        all_severities=[*reversed(Severity)],
        all_statuses=[*ProblemStatus],
        all_verdicts=[*VERDICT_WORDS.items()],
        topics=sorted(group_topics(run.cases)),
        unrun=run.unrun,
        unknown=_index_groups(run.group_unknown(faults=False), indices),
        faults=_index_groups(run.group_unknown(faults=True), indices),
        matrix=make_matrix(run),
        number_unjudged=sum(len(group.cases) for group in run.group_skipped()),
        unjudged=[
            {"wants": one.wants, "also": one.also, "reasons": one.reasons, "cases": [indices[id_] for id_ in one.cases]}
            for one in run.group_skipped()
        ],
        wants=WANTS,
        facts=[*_list_facts(run)],
        calibration=describe_calibration(started),
        waivers=started.contract.waivers,
        changes=started.contract.severities,
    )


def _view_problems(run: WholeRun) -> Iterator[ProblemView]:
    by_id = {case.id: case for case in run.cases}
    for judged in run.problems:
        problem = judged.problem
        # The first case of the problem's own rule tells most; without one any that has seen it.
        cases = problem.cases
        first = next((id_ for id_ in cases if id_.startswith(f"{problem.rule}[")), cases[0] if cases else "")
        lines = story(by_id[first].record) if first else []
        shown = [*_pick_sightings(problem.sightings, first)]
        yield ProblemView(
            judged=judged,
            topic=problem.rule.partition("/")[0],
            seen=describe_seen(problem),
            cases=len(cases),
            also=name_some(problem.also, _MOST_NAMED),
            note=describe_status(judged),
            first=first,
            story=[*map(cut_text, lines[:MOST_LINES])],
            story_more=max(0, len(lines) - MOST_LINES),
            sightings=shown,
            sightings_more=len(problem.sightings) - len(shown),
        )


def _pick_sightings(sightings: Sequence[Sighting], first: str) -> Iterator[Sighting]:
    """Yield a few: of the case that is told before those of others, and of each sort of thing that was seen one."""
    told: set[str] = set()
    for one in sorted(sightings, key=lambda one: one.case != first):
        sort = one.finding.what or one.finding.seen
        if sort not in told and len(told) < _MOST_SIGHTINGS:
            told.add(sort)
            yield one


def _index_groups(
    groups: Iterable[tuple[str, Iterable[str]]], indices: Mapping[str, int]
) -> list[tuple[str, list[int]]]:
    return [(why, [indices[id_] for id_ in ids]) for why, ids in groups]


def _list_facts(run: WholeRun) -> Iterator[tuple[str, str]]:
    started = run.started
    yield "Target", started.target
    if started.file:
        yield "Address", started.url
        yield "Target file", started.file
    yield "Environment", started.environment
    yield "Seed", str(started.seed)
    yield "Started", started.started
    yield "Took", f"{run.finished.seconds:.1f} s"
    yield "Exit code", f"{int(run.finished.exit_code)}"
    watched = [(sort, names) for sort, names in (("store", started.stores), ("log", started.logs)) if names]
    watched += [("file", started.files)] if started.files else []
    yield "Watched", "; ".join(f"{sort} {', '.join(names)}" for sort, names in watched) or "answers only"


def _make_policy(style: str, script: str) -> str:
    """Return what the page may do: nothing but to use its own style sheet and its own script, by their digests."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@cache
def _load_page() -> "Template":
    """Return the template; every text in it is made one printable line, and then escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 (no other report wants it)
    from markupsafe import Markup  # noqa: PLC0415

    environment = Environment(
        loader=FunctionLoader(_read_part),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters |= {"cut": cut_text, "lines": split_lines, "split_code": _split_code}
    return environment.get_template("page.html")


@cache
def _read_part(name: str) -> str:
    return (files("payproof.reporters") / "html_page" / name).read_text(encoding="utf-8")


def _split_code(text: str) -> list[tuple[bool, str]]:
    """Return the parts of a text, and of each whether it stands between backticks."""
    return [(at % 2 == 1, part.strip("`")) for at, part in enumerate(re.split(r"(`[^`]+`)", text)) if part]
