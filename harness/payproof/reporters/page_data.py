"""What the page of a run shows of its cases by script: data, made of texts that are printable and of bounded length."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from payproof.domain.events import CaseFinished
from payproof.domain.verdict import name_verdict
from payproof.reporters.phrasing import describe_masking, one_line, story, summary
from payproof.reporters.whole_run import VERDICT_WORDS, WholeRun, list_findings

__all__ = ["MOST_LINES", "collect_data", "cut_text", "dump_data", "split_lines"]

#: Lines of what was sent, answered and seen in a case.
MOST_LINES = 100

_MOST_FINDINGS = 20
_LONGEST = 1_000


def collect_data(run: WholeRun) -> dict[str, Any]:
    """Return what the page's script shows: texts that many cases share stand once."""
    titles: dict[str, int] = {}
    requirements: dict[str, int] = {}
    numbers: dict[str, list[int]] = {}
    for one in run.problems:
        for id_ in one.problem.cases:
            numbers.setdefault(id_, []).append(one.number)
    indices = {case.id: index for index, case in enumerate(run.cases)}
    cases = [_describe_case(case, numbers.get(case.id, []), titles, requirements) for case in run.cases]
    problems = {
        one.number: {
            "fingerprint": one.problem.fingerprint,
            "title": one_line(one.problem.title),
            "asked": [requirements.setdefault(name, len(requirements)) for name in one.problem.requirements],
            "cases": [indices[id_] for id_ in one.problem.cases],
        }
        for one in run.problems
    }
    shared = {"titles": [*map(one_line, titles)], "requirements": [*map(one_line, requirements)]}
    return {"words": VERDICT_WORDS, "problems": problems, **shared, "cases": cases}


def _describe_case(
    case: CaseFinished, problems: list[int], titles: dict[str, int], requirements: dict[str, int]
) -> dict[str, Any]:
    lines, findings = story(case.record), list_findings(case)
    return {
        "id": one_line(case.id),
        "title": titles.setdefault(case.title, len(titles)),
        "severity": case.severity.value,
        "verdict": name_verdict(case.verdict),
        "why": cut_text(summary(case.verdict)),
        "problems": problems,
        "asked": [requirements.setdefault(one, len(requirements)) for one in case.requirements],
        "seconds": round(case.seconds, 2),
        "masked": describe_masking(case),
        "repeat": one_line(case.repeat),
        "findings": [
            {
                "check": one.check,
                "step": one.step,
                "rule": one.rule,
                "expected": cut_text(one.expected),
                "seen": cut_text(one.seen),
                "evidence": "\n".join(split_lines(one.evidence)),
            }
            for one in findings[:_MOST_FINDINGS]
        ],
        "more_findings": max(0, len(findings) - _MOST_FINDINGS),
        "story": [*map(cut_text, lines[:MOST_LINES])],
        "more_lines": max(0, len(lines) - MOST_LINES),
    }


def dump_data(content: Mapping[str, Any]) -> str:
    """Return JSON in ASCII that no reader of HTML takes for the end of a script, or for a comment."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def cut_text(text: str) -> str:
    """Return text as one printable line, and of a long one the beginning with how much is left out."""
    line = one_line(text[: 2 * _LONGEST])
    return line if len(text) <= _LONGEST else f"{line[:_LONGEST]}… ({len(text) - _LONGEST:,} more characters)"


def split_lines(evidence: Iterable[str]) -> list[str]:
    """Return the lines of evidence, each as above; of very many the first."""
    lines = [line for one in evidence for line in one[: 20 * _LONGEST].splitlines()]
    more = [f"({len(lines) - MOST_LINES} more lines)"] if len(lines) > MOST_LINES else []
    return [*(cut_text(line) for line in lines[:MOST_LINES]), *more]
