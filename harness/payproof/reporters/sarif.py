"""A run as SARIF 2.1.0, within what GitHub's code scanning takes: one result for each problem.

https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from payproof.domain.finding import Severity
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.verdict import ExitCode
from payproof.reporters.phrasing import describe_target, name_some, one_line
from payproof.reporters.problem_text import describe_seen, describe_status
from payproof.reporters.whole_run import WholeRun

__all__ = ["LEVELS", "SCHEMA", "SCORES", "write_sarif"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
#: Scores from 0 to 10, as code scanning sorts by them.
SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}

_MOST_RESULTS = 5_000  # of more, code scanning shows only so many
_MOST_TAGS = 10
_MOST_NAMED = 20
_LONGEST = 1_000  # characters of a message or of a description; 1,024 are taken
_NO_FILE = "payproof.toml"  # of a target that no file describes: code scanning wants one for each result


def write_sarif(run: WholeRun) -> str:
    """Return the run as SARIF: the problems, each with its rule and remedy, and as notifications what is unknown."""
    shown = run.problems[:_MOST_RESULTS]
    by_rule: dict[str, list[JudgedProblem]] = defaultdict(list)
    for one in shown:
        by_rule[_name_rule(one)].append(one)
    indices = {name: index for index, name in enumerate(by_rule)}
    invocation = {
        "executionSuccessful": run.finished.exit_code is not ExitCode.INTERRUPTED,
        "exitCode": int(run.finished.exit_code),
        "exitCodeDescription": run.finished.exit_code.name.lower().replace("_", " "),
        "toolExecutionNotifications": [*_notify(run)],
    }
    has_baseline = any(one.status is ProblemStatus.KNOWN for one in run.problems)
    content = {
        "tool": {
            "driver": {
                "name": "payproof",
                "version": run.started.version,
                "rules": [_describe_rule(name, problems) for name, problems in by_rule.items()],
            }
        },
        "automationDetails": {"id": f"payproof/{_name_category(run.started.target)}/"},
        "invocations": [invocation],
        "results": [_describe_result(run, one, indices, has_baseline=has_baseline) for one in shown],
        "columnKind": "utf16CodeUnits",
        "properties": {"seed": run.started.seed, "counts": dict(run.finished.counts), "started": run.started.started},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [content]}, indent=1) + "\n"


def _name_rule(judged: JudgedProblem) -> str:
    """Return the rule with the kind of what breaks it, as both decide what is told of it."""
    return f"{judged.problem.rule}/{_slug(judged.problem.kind)}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _name_category(target: str) -> str:
    return re.sub(r"[^\w.:-]+", "-", target)[:100]


def _describe_rule(name: str, problems: Sequence[JudgedProblem]) -> dict[str, Any]:
    known = [one.problem for one in problems]
    worst = max((one.severity for one in known), key=lambda one: one.rank)
    title = _shorten(known[0].title)
    remedies = [*dict.fromkeys(one_line(one.remedy) for one in known if one.remedy)]
    requirements = [*dict.fromkeys(one_line(asked) for one in known for asked in one.requirements)]
    topic = known[0].rule.partition("/")[0]
    rule = f"It breaks the rule {known[0].rule} of Payproof: `payproof explain {known[0].rule}` says what is expected."
    asked = f"Asked for by {name_some(requirements, _MOST_NAMED)}." if requirements else ""
    paragraphs = [*(remedies or ["Payproof knows no remedy for this kind of problem."]), rule, *filter(None, [asked])]
    return {
        "id": name,
        "name": name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": _shorten(" ".join([f"{title}.", *remedies]))},
        "help": {
            "text": "\n\n".join(paragraphs),
            "markdown": "\n\n".join([f"**{_escape_markdown(title)}**", *map(_escape_markdown, paragraphs)]),
        },
        "defaultConfiguration": {"level": LEVELS[worst]},
        "properties": {
            "tags": ["security", "payproof", topic, *map(_slug, requirements)][:_MOST_TAGS],
            "security-severity": SCORES[worst],
            "precision": "very-high",
        },
    }


def _describe_result(
    run: WholeRun, judged: JudgedProblem, indices: dict[str, int], *, has_baseline: bool
) -> dict[str, Any]:
    problem, name = judged.problem, _name_rule(judged)
    told = [f"{problem.title}: {problem.spot}.", f"Seen: {describe_seen(problem)}."]
    told += [f"{status}." for status in [describe_status(judged)] if status]
    result: dict[str, Any] = {
        "ruleId": name,
        "ruleIndex": indices[name],
        "level": "note" if judged.status is ProblemStatus.ADVISED else LEVELS[problem.severity],
        "message": {"text": _shorten(" ".join(told))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _name_artifact(run.started.file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": _shorten(f"{problem.spot.channel}: {problem.spot}"), "kind": "resource"}
                ],
            }
        ],
        # Code scanning knows an alert again by the first of the two alone; both are this problem's and no other's.
        "partialFingerprints": {
            "primaryLocationLineHash": f"{problem.fingerprint}:1",
            "payproof/v1": problem.fingerprint,
        },
        "occurrenceCount": len(problem.sightings),
        "properties": {
            "number": judged.number,
            "status": judged.status.value,
            "severity": problem.severity.value,
            "rule": problem.rule,
            "kind": one_line(problem.kind),
            "cases": [*problem.cases[:_MOST_NAMED]],
            "repeat": one_line(problem.repeat),
        },
    }
    if judged.status is ProblemStatus.WAIVED:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one_line(judged.why)}]
    if has_baseline:
        result["baselineState"] = "unchanged" if judged.status is ProblemStatus.KNOWN else "new"
    return result


def _name_artifact(file: str) -> str:
    """Return the target file as a path in its repository; of one that was named by its whole path only the name."""
    path = PurePath(file if file.endswith(".toml") else _NO_FILE)
    return quote(path.name if path.is_absolute() or ".." in path.parts else path.as_posix())


def _notify(run: WholeRun) -> Iterator[dict[str, Any]]:
    yield _notification("note", "judged", describe_target(*_target(run)))
    for why, ids in run.group_unknown(faults=True):
        yield _notification("error", "harness-fault", f"a fault of Payproof, not of the target: {why}", ids)
    for why, ids in run.group_unknown(faults=False):
        yield _notification("warning", "unknown", f"unknown: {why}", ids)
    for group in run.group_skipped():
        reason = "" if group.wants else f": {group.reasons[0]}"
        yield _notification("note", "not-judged", f"not judged, wanting {group.title}{reason}", group.cases)
    if run.unrun:
        yield _notification("warning", "not-run", f"{run.unrun} cases did not run")
    if len(run.problems) > _MOST_RESULTS:
        left = len(run.problems) - _MOST_RESULTS
        yield _notification("warning", "left-out", f"{left} problems, the least grave, are left out of this file")


def _target(run: WholeRun) -> tuple[str, str, str, str]:
    return run.started.target, run.started.environment, run.started.url, run.started.file


def _notification(level: str, id_: str, text: str, ids: Iterable[str] = ()) -> dict[str, Any]:
    cases = [*ids]
    told = f"{text} ({len(cases)} cases: {name_some(cases, _MOST_NAMED)})" if cases else text
    return {"level": level, "message": {"text": _shorten(told)}, "descriptor": {"id": id_}}


def _shorten(text: str) -> str:
    """Return text as one line that is not too long and holds no link, which SARIF has in messages too."""
    line = one_line(text).replace("](", "] (")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _escape_markdown(text: str) -> str:
    """Return a paragraph in which only code in backticks means something, as our own remedies have it."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(one if at % 2 else re.sub(r"([\\*_\[\]<>#|~&])", r"\\\1", one) for at, one in enumerate(pieces))
