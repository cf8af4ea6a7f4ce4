"""What is true of a neighbour, found by reading its source, and where the verdicts on it differ."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from payproof.domain.scenario import Case

__all__ = ["Fault", "Truth", "Verdicts", "checks_of"]

#: The verdict on each case, as a run record has it.
Verdicts = Mapping[str, Mapping[str, Any]]
#: What a target file of a few edited lines leaves out: the cases that need it are skipped.
_NOT_IN_A_SMALL_FILE = frozenset(
    {
        *(
            "api_key",
            "breaker",
            "charging",
            "file",
            "openapi",
            "previous_secret",
            "publishable_key",
            "rejection_record",
        ),
        *("process_secret", "retention", "retired_secret", "store_outage", "upstream", "writing"),
    }
)
#: What a case is skipped for that such a target has no use for.
_NOT_OF_ITS_KIND = (
    "connect = true in [webhook] makes this one",
    "no event that the target handles makes it ask Stripe",
)


@dataclass(frozen=True)
class Fault:
    """A true fault: what is wrong, where that is written, and the checks that fail for it, by cases.

    A name of cases may have stars. Then at least one of the cases must fail, and each may.
    """

    what: str
    where: str
    found: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Truth:
    """A neighbour's true faults, the types it handles, what its target file does not offer, and what is unknown."""

    faults: tuple[Fault, ...]
    handles: tuple[str, ...]
    not_offered: frozenset[str]
    unknown: Mapping[str, str]
    path: str
    init_finds: bool

    @classmethod
    def read(cls, file: Path) -> "Truth":
        """Read a ``truth.toml``; what its SDK does to every user stands in a file of its own, named by ``sdk``."""
        content = tomllib.loads(file.read_text())
        faults = [*content.get("fault", [])]
        if sdk := content.get("sdk"):
            faults += tomllib.loads((file.parent.parent / f"{sdk}.toml").read_text())["fault"]
        return cls(
            tuple(
                Fault(one["what"], one["where"], {name: frozenset(checks) for name, checks in one["found"].items()})
                for one in faults
            ),
            tuple(content["handles"]),
            _NOT_IN_A_SMALL_FILE - frozenset(content.get("offers", [])),
            {name: one["because"] for one in content.get("unknown", []) for name in one["cases"]},
            content["path"],
            content.get("init_finds", True),
        )

    def surprises(self, cases: Mapping[str, Case], verdicts: Verdicts) -> list[str]:
        """Return a line for each verdict that is wrong: false, missing, unknown, or skipped though it need not be."""
        failing = {name: checks_of(verdict) for name, verdict in verdicts.items() if verdict["kind"] == "failed"}
        told = list(self._missing(failing))
        for name, verdict in verdicts.items():
            match verdict["kind"]:
                case "failed":
                    told += self._false(name, verdict)
                case "errored" if not any(_matches(one, name) for one in self.unknown):
                    told.append(f"UNKNOWN  {name}: {verdict['reason']}: {verdict['detail']}")
                case "skipped" if not self._may_skip(cases[name], verdict["why"]):
                    told.append(f"SKIPPED  {name}: {verdict['why']}")
        return sorted(told)

    def _may_skip(self, case: Case, why: str) -> bool:
        """Whether a case needs what the file does not offer, another path, or a type that the neighbour ignores."""
        needs = {*case.needs, *({"upstream"} if "double" in case.needs else ())}
        if self.not_offered.intersection(needs) or why.startswith(f"the path {self.path} "):
            return True
        if why.endswith(_NOT_OF_ITS_KIND):
            return True
        _, ignores, event = why.rpartition("the target does not handle ")
        return bool(ignores) and not any(fnmatchcase(event, one) for one in self.handles)

    def _missing(self, failing: Mapping[str, frozenset[str]]) -> Iterator[str]:
        for fault in self.faults:
            for pattern, checks in fault.found.items():
                for check in sorted(checks):
                    if not any(_matches(pattern, name) and check in seen for name, seen in failing.items()):
                        yield f"MISSING  {pattern} by {check}: {fault.what} ({fault.where})"

    def _false(self, name: str, verdict: Mapping[str, Any]) -> Iterator[str]:
        true = frozenset[str]().union(
            *(checks for fault in self.faults for pattern, checks in fault.found.items() if _matches(pattern, name))
        )
        false = {found["check"]: found for found in verdict["findings"] if found["check"] not in true}
        for check, found in sorted(false.items()):
            yield f"FALSE    {name} by {check}: expected {found['expected']}; seen {found['seen']}"


def checks_of(verdict: Mapping[str, Any]) -> frozenset[str]:
    """Return the checks that a failed verdict's findings are of."""
    return frozenset(found["check"] for found in verdict["findings"])


def _matches(pattern: str, name: str) -> bool:
    """Whether a case is one of those named; brackets are no wildcards."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))
