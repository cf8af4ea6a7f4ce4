"""A run as Markdown, at most a screen long, for a comment on a pull request or the summary of a job."""

import re
from collections import Counter
from collections.abc import Iterator

from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.reporters.phrasing import describe_target, name_some, one_line
from payproof.reporters.problem_text import name_source
from payproof.reporters.whole_run import ENDINGS, VERDICT_WORDS, WholeRun

__all__ = ["write_markdown"]

_MOST_PROBLEMS = 10
_MOST_MENDED = 3
_MOST_GROUPS = 4
_MOST_REASONS = 3
_LONGEST = 120


def write_markdown(run: WholeRun) -> str:
    """Return headline, problems, how to mend the gravest, what is unknown and not judged, and how to repeat the run.

    Whatever a target or its file says stands in code, where it is neither markup, nor a link, nor a name that is told.
    """
    return "\n".join(_write_lines(run)) + "\n"


def _write_lines(run: WholeRun) -> Iterator[str]:
    yield f"### Payproof: {run.headline[0].lower()}{run.headline[1:]}"
    yield ""
    started = run.started
    what = _code(describe_target(started.target, started.environment, started.url, started.file))
    yield f"{ENDINGS[run.finished.exit_code]} Judged: {what}, seed {started.seed}, Payproof {started.version}."
    yield ""
    yield from _tell_problems(run)
    counts = Counter(run.finished.counts)
    told = [f"{counts[name]} {word}" for name, word in VERDICT_WORDS.items() if counts[name]]
    told += [f"{run.unrun} not run"] if run.unrun else []
    yield f"**Cases:** {', '.join(told) or 'none'}, in {run.finished.seconds:.0f} s."
    yield from _tell_groups(run)


def _tell_problems(run: WholeRun) -> Iterator[str]:
    if not run.problems:
        return
    yield "| | Severity | Problem | Where | Seen by | Asked for by |"
    yield "| ---: | --- | --- | --- | --- | --- |"
    for one in run.problems[:_MOST_PROBLEMS]:
        yield f"| {' | '.join(_fill_row(one))} |"
    if (more := len(run.problems) - _MOST_PROBLEMS) > 0:
        yield f"| | | and {more} more | | | |"
    yield ""
    mended = [one for one in run.problems if one.status is ProblemStatus.NEW and one.problem.remedy][:_MOST_MENDED]
    for one in mended:
        yield f"- **Mend {one.number}:** {_plain(one.problem.remedy)}"
    if mended:
        yield ""


def _fill_row(judged: JudgedProblem) -> tuple[str, ...]:
    problem = judged.problem
    status = "" if judged.status is ProblemStatus.NEW else f" ({judged.status})"
    cases = problem.cases
    seen = _code(cases[0]) if len(cases) == 1 else f"{len(cases)} cases" if cases else ""
    return (
        str(judged.number),
        f"{problem.severity}{status}",
        _plain(problem.title),
        _code(str(problem.spot)),
        seen,
        _plain(name_source(problem.requirements)),
    )


def _tell_groups(run: WholeRun) -> Iterator[str]:
    for why, ids in run.group_unknown(faults=True)[:_MOST_REASONS]:
        yield f"- **Fault of Payproof, please report it:** {_code(why)} ({len(ids)} case{_s(len(ids))})"
    unknown = run.group_unknown(faults=False)
    for why, ids in unknown[:_MOST_REASONS]:
        yield f"- **Unknown:** {_code(why)} ({len(ids)} case{_s(len(ids))})"
    if len(unknown) > _MOST_REASONS:
        yield f"- **Unknown** for {len(unknown) - _MOST_REASONS} more reasons"
    groups = run.group_skipped()
    if groups:
        named = [
            f"{len(group.cases)} want {_code(group.title)}" if group.wants else f"{len(group.cases)} for other reasons"
            for group in groups
        ]
        yield f"- **Not judged:** {name_some(named, _MOST_GROUPS)}"
    first = next((one.problem for one in run.problems if one.status is ProblemStatus.NEW), None)
    if first is not None and first.repeat:
        yield ""
        yield f"Again: {_code(first.repeat, longest=400)}"


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _code(text: str, longest: int = _LONGEST) -> str:
    """Return a span of code that fits into a table: a bar would end the cell even there, so it is a broken one."""
    line = one_line(text).replace("|", "¦").strip() or "?"
    line = line if len(line) <= longest else line[: longest - 1] + "…"
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def _plain(text: str) -> str:
    """Return our own words, or those of a scenario's author, as they read: code in backticks stays code."""
    pieces = re.split(r"(`[^`]*`)", one_line(text).replace("|", "¦"))
    return "".join(one if at % 2 else _escape(one) for at, one in enumerate(pieces))


def _escape(text: str) -> str:
    # A name after @, a number after # and an address would be links on a forge; a word joiner keeps them words.
    text = re.sub(r"([\\`*_\[\]<>~&])", r"\\\1", text)
    return re.sub(r"(?<=[@#])(?=\w)|(?<=:)(?=//)|(?<=\bwww)(?=\.)", "\u2060", text)
