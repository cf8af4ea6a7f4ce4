"""What a target in another language is expected to fail, told in a file beside it; strict both ways."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from payproof.domain.scenario import Case
from payproof.domain.verdict import Errored, Failed, Passed, Skipped, Verdict

__all__ = ["Caught", "Expectations"]


@dataclass(frozen=True)
class Caught:
    """The case that must find a planted defect, and the check by which."""

    case: str
    check: str


@dataclass(frozen=True)
class Expectations:
    """The checks that fail in each case, what is not offered or makes no sense, and what catches planted defects."""

    failing: Mapping[str, frozenset[str]]
    not_offered: frozenset[str]
    not_applying: frozenset[str]
    defects: Mapping[str, Caught]

    @classmethod
    def read(cls, file: Path) -> "Expectations":
        """Read a file of ``[[expected]]`` failures, each with the reason, and ``[defects]``."""
        content = tomllib.loads(file.read_text())
        failing: dict[str, frozenset[str]] = {}
        for entry in content["expected"]:
            assert entry["because"].endswith("."), "the reason is a sentence"
            for case in entry["cases"]:
                assert case not in failing, f"{case} stands twice in {file.name}"
                failing[case] = frozenset(entry["checks"])
        defects = {name: Caught(**caught) for name, caught in content["defects"].items()}
        return cls(failing, frozenset(content["not_offered"]), frozenset(content["not_applying"]), defects)

    def surprise(self, case: Case, verdict: Verdict) -> str:
        """Return what is otherwise than expected, for a reader, or an empty text."""
        missing = self.not_offered.intersection(case.needs)
        expected = self.failing.get(case.id, frozenset())
        match verdict:
            case Errored(reason=reason, detail=detail):
                return f"unknown: {reason}: {detail}"
            case Skipped(why=why):
                return "" if missing or case.id in self.not_applying else f"skipped: {why}"
            case Passed():
                seen = frozenset[str]()
            case Failed(findings=findings):
                seen = frozenset(finding.check for finding in findings)
        if missing:
            return f"not skipped, though it needs {', '.join(missing)}: take that from not_offered"
        told = [f"{check} holds now: remove the line" for check in sorted(expected - seen)]
        if isinstance(verdict, Failed):
            told += [
                f"{one.check}: {one.expected}; {one.seen}" for one in verdict.findings if one.check not in expected
            ]
        return "\n".join(told)
