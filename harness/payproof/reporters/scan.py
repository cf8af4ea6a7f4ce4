"""What a search of data at rest has told, as a table, as JSON lines and as SARIF 2.1.0."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from io import StringIO
from typing import Any
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from payproof import __version__
from payproof.domain.finding import Confidence, Severity
from payproof.domain.leak import Leak, LeakStatus, NotRead, Place, ScanReport
from payproof.reporters.phrasing import one_line
from payproof.reporters.sarif import LEVELS, SCHEMA, SCORES

__all__ = ["FORMATS"]

_RANKS = {Confidence.LOW: 25.0, Confidence.MEDIUM: 50.0, Confidence.HIGH: 75.0, Confidence.CERTAIN: 100.0}
_BYTES = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))


def _table(report: ScanReport, width: int) -> str:
    """Return the report for people."""
    out = Console(file=StringIO(), record=True, width=width, color_system=None)
    shown_leaks = [one for one in report.leaks if not _is_folded(one[0], one[1])]
    if shown_leaks:
        table = Table(box=None, pad_edge=False)
        for name in ("status", "severity", "sure", "where", "what", "fingerprint"):
            table.add_column(name, overflow="fold")
        for leak, status, reason in shown_leaks:
            shown = f" {leak.shown}" if leak.shown else ""
            named = f" named {leak.name}" if leak.name else ""
            more = f" ({leak.count:,} more)" if leak.count > 1 else ""
            what = f"{leak.what}{shown}{named}{more}" + (f": {reason}" if reason else "")
            cells = (status, leak.severity, leak.confidence, str(leak.place), what, leak.fingerprint)
            table.add_row(*(escape(one_line(cell)) for cell in cells))
        out.print(table)
    for line in _lines(report):
        # Not cut: the rest of one, with words that a file's name has chosen, would begin as a line of ours does.
        out.print(escape(one_line(line)), highlight=False, soft_wrap=True)
    return out.export_text()


def _is_folded(leak: Leak, status: LeakStatus) -> bool:
    """Whether people see only how many there are: in code much is listed, and nothing of it is to be mended."""
    return status is LeakStatus.LISTED and bool(leak.in_tree)


def _lines(report: ScanReport) -> list[str]:
    lines = [f"not read: {one.place}: {one.why}" for one in report.unread]
    for one in report.searched:
        if one.sampled:
            share = f" of about {one.of:,} ({min(1.0, one.rows / one.of):.1%})" if one.of else ""
            lines.append(f"sampled: {one.unit}: {one.rows:,} rows{share}")
    lines += [f"left out: {one} (--no-ignore searches what git ignores)" for one in report.left_out]
    lines += [f"note: {note}" for note in report.notes]
    folded = [leak for leak, status, _ in report.leaks if _is_folded(leak, status)]
    for why, some in (
        ("published for tests, made up, or what anybody would guess", [one for one in folded if one.is_of_tests]),
        ("unsure", [one for one in folded if not one.is_of_tests]),
    ):
        counted: Counter[str] = Counter()
        for leak in some:
            counted[leak.kind] += leak.count
        if counted:
            told = ", ".join(f"{count:,} {kind}" for kind, count in counted.most_common())
            lines.append(f"listed in code, {why}: {told} (--format jsonl says where)")
    counts = dict.fromkeys(LeakStatus, 0)
    for leak, status, _ in report.leaks:
        counts[status] += leak.count
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items() if count) or "no leaks"
    size, rows = sum(one.size for one in report.searched), sum(one.rows for one in report.searched)
    what = f"{len(report.searched):,} files and tables ({_format_size(size)}, {rows:,} rows)"
    if report.interrupted:
        lines.append("interrupted: what follows is of the part that was searched")
    lines.append(f"{told} in {what}; {len(report.unread):,} not read")
    return lines


def _format_size(size: int) -> str:
    return next((f"{size / unit:,.1f} {name}" for name, unit in _BYTES if size >= unit), f"{size:,} bytes")


def _json_lines(report: ScanReport, _width: int) -> str:
    """Return an object a line: each leak, what was not read, left out and searched, and a summary at the end."""
    lines: list[dict[str, Any]] = [
        {"type": "leak", "status": status, "reason": reason, "fingerprint": leak.fingerprint, **asdict(leak)}
        for leak, status, reason in report.leaks
    ]
    lines += ({"type": "not read", **asdict(one)} for one in report.unread)
    lines += ({"type": "left out", **asdict(one)} for one in report.left_out)
    lines += ({"type": "searched", **asdict(one)} for one in report.searched)
    lines.append(
        {
            "type": "summary",
            "notes": report.notes,
            "interrupted": report.interrupted,
            "exit_code": int(report.exit_code),
            "payproof": __version__,
        }
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def _sarif(report: ScanReport, _width: int) -> str:
    """Return the report for programs that show the findings of analyses."""
    kinds = sorted({leak.kind for leak, _, _ in report.leaks})
    worst: Mapping[str, Severity] = {
        kind: max((t.severity for t, _, _ in report.leaks if t.kind == kind), key=lambda one: one.rank)
        for kind in kinds
    }
    rules = [
        {
            "id": kind,
            "shortDescription": {"text": f"Payment data at rest: {kind.replace('_', ' ')}"},
            "defaultConfiguration": {"level": LEVELS[worst[kind]]},
            "properties": {"tags": ["security", "pci-dss"], "security-severity": SCORES[worst[kind]]},
        }
        for kind in kinds
    ]
    invocation = {
        "executionSuccessful": not report.interrupted,
        "exitCode": int(report.exit_code),
        "toolExecutionNotifications": [
            *(_notification(one) for one in report.unread),
            *({"level": "note", "message": {"text": one_line(f"left out: {one}")}} for one in report.left_out),
            *({"level": "note", "message": {"text": one_line(note)}} for note in report.notes),
        ],
    }
    driver = {"name": "payproof", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "results": [_result(leak, status, reason, kinds) for leak, status, reason in report.leaks],
        "columnKind": "utf16CodeUnits",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _result(leak: Leak, status: LeakStatus, reason: str, kinds: list[str]) -> dict[str, Any]:
    text = f"{leak.what} {leak.shown}".strip() + f" at {leak.place}"
    result: dict[str, Any] = {
        "ruleId": leak.kind,
        "ruleIndex": kinds.index(leak.kind),
        "level": "note" if status is LeakStatus.LISTED else LEVELS[leak.severity],
        "rank": _RANKS[leak.confidence],
        "message": {"text": one_line(text)},
        "locations": [_location(leak.place)],
        "partialFingerprints": {"payproof/v1": leak.fingerprint},
        "occurrenceCount": leak.count,
        "properties": {"status": status, "confidence": leak.confidence, "severity": leak.severity},
    }
    if status is LeakStatus.WAIVED:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": reason}]
    elif status is not LeakStatus.LISTED:
        result["baselineState"] = "unchanged" if status is LeakStatus.KNOWN else "new"
    return result


def _location(place: Place) -> dict[str, Any]:
    """Return a file's region, or a store's row as a logical location."""
    if place.table or "://" in place.source:
        named = one_line(".".join(one for one in (place.table, place.field) if one))
        logical = {"fullyQualifiedName": one_line(str(place)), "kind": "member"}
        return {"logicalLocations": [{"name": named, **logical} if named else logical]}
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.source)}}
    if place.line is not None:
        # The column counts bytes, which are UTF-16 code units only of ASCII: it is told in the message.
        physical["region"] = {"startLine": place.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.part:
        location["logicalLocations"] = [{"fullyQualifiedName": one_line(str(place)), "kind": "resource"}]
    return location


def _notification(one: NotRead) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": one_line(f"not read: {one.place}: {one.why}")},
        "locations": [_location(one.place)],
        "descriptor": {"id": "not-read"},
    }


#: Reports by name: from what was told and the width of the terminal to a text.
FORMATS: Mapping[str, Callable[[ScanReport, int], str]] = {"table": _table, "jsonl": _json_lines, "sarif": _sarif}
