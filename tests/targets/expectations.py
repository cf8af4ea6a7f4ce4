"""What a target in another language is expected to fail, told in a file beside it; strict both ways."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from payproof.domain.finding import Finding
from payproof.domain.scenario import Case
from payproof.domain.verdict import Errored, Failed, Passed, Skipped, Verdict

__all__ = ["Caught", "Expectations"]


@dataclass(frozen=True)
class Caught:
    """The case that must find a planted defect, the check by which, and the rule that the finding counts against."""

    case: str
    check: str
    rule: str = ""

    def is_in(self, verdict: Verdict, passing: tuple[Finding, ...]) -> bool:
        """Whether the check's finding is one of the case's own, or of those in passing."""
        findings = (*(verdict.findings if isinstance(verdict, Failed) else ()), *passing)
        rule = self.rule or _rule_of(self.case)
        return any((one.check, one.rule) == (self.check, rule) for one in findings)


@dataclass(frozen=True)
class Expectations:
    """The checks that fail in each case, what is not offered or makes no sense, and what catches planted defects.

    ``failing`` tells the checks by case and by the rule that their findings count against: the case's own, or the one
    that owns the check, whether the case names it or has seen it in passing.
    """

    failing: Mapping[tuple[str, str], frozenset[str]]
    not_offered: frozenset[str]
    not_applying: frozenset[str]
    defects: Mapping[str, Caught]

    @classmethod
    def read(cls, file: Path) -> "Expectations":
        """Read a file of ``[[expected]]`` failures, each with the reason, and ``[defects]``.

        An entry with ``rules`` tells what counts against those; one without tells what counts against the cases' own.
        """
        content = tomllib.loads(file.read_text())
        failing: dict[tuple[str, str], frozenset[str]] = {}
        for entry in content["expected"]:
            assert entry["because"].endswith("."), "the reason is a sentence"
            for key in ((case, rule) for case in entry["cases"] for rule in entry.get("rules", [_rule_of(case)])):
                assert key not in failing, f"{' by '.join(key)} stands twice in {file.name}"
                failing[key] = frozenset(entry["checks"])
        defects = {name: Caught(**caught) for name, caught in content["defects"].items()}
        return cls(failing, frozenset(content["not_offered"]), frozenset(content["not_applying"]), defects)

    def may_skip(self, case: Case) -> bool:
        """Whether a case needs what the target does not offer, or makes no sense there."""
        return case.id in self.not_applying or bool(self.not_offered.intersection(case.needs))

    def surprise(self, case: Case, verdict: Verdict, passing: tuple[Finding, ...] = ()) -> str:
        """Return what is otherwise than expected, for a reader, or an empty text."""
        missing = self.not_offered.intersection(case.needs)
        own: tuple[Finding, ...] = ()
        match verdict:
            case Errored(reason=reason, detail=detail):
                return f"unknown: {reason}: {detail}"
            case Skipped(why=why):
                return "" if self.may_skip(case) else f"skipped: {why}"
            case Passed():
                pass
            case Failed(findings=own):
                pass
        if missing:
            return f"not skipped, though it needs {', '.join(missing)}: take that from not_offered"
        expected = {(rule, check) for (id_, rule), checks in self.failing.items() if id_ == case.id for check in checks}
        found = {(one.rule or _rule_of(case.id), one.check): one for one in (*own, *passing)}
        told = [f"{rule}: {check} holds now: remove the line" for rule, check in sorted(expected - found.keys())]
        told += [
            f"{rule}: {check}: {one.expected}; {one.seen}"
            for (rule, check), one in sorted(found.items())
            if (rule, check) not in expected
        ]
        return "\n".join(told)


def _rule_of(case: str) -> str:
    return case.partition("[")[0]
