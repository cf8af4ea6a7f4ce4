"""What is true of a neighbour, found by reading its source, and where the verdicts on it differ."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from payproof.domain.scenario import Case

__all__ = ["Fault", "Found", "Judged", "Truth", "list_found"]

#: What a run record holds of each case: its verdict, and what was seen in passing.
Judged = Mapping[str, Mapping[str, Any]]
#: What a target file of a few edited lines leaves out: the cases that need it are skipped.
_NOT_IN_A_SMALL_FILE = frozenset(
    {
        *(
            "api_key",
            "breaker",
            "charging",
            "endpoints",
            "entitlement",
            "file",
            "openapi",
            "previous_secret",
            "publishable_key",
            "rejection_record",
        ),
        *("expired_principal", "guarded", "lockout", "lower_principal", "operations", "other_tenant"),
        *(
            "process",
            "process_secret",
            "retention",
            "retired_secret",
            "second_price",
            "store_faults",
            "store_outage",
            "upstream",
            "writing",
        ),
    }
)
#: What a case is skipped for that such a target has no use for.
_NOT_OF_ITS_KIND = (
    "connect = true in [webhook] makes this one",
    "no event that the target handles makes it ask Stripe",
    "no entitlement of the target file is given by checkout.session.completed",
    "no entitlement of the target file names an other who must not get it",
    "no entitlement of the target file names an amount that is compared",
    "no entitlement of the target file is bought once, without a subscription",
    "no entitlement of the target file names its price",
    "no entitlement of the target file is given by a subscription",
    "no entitlement of the target file names the page of success",
    "the target shows nothing of the flow in any store",
    "no column says what Stripe's objects are: name some in mirrors of [contract]",
    "no column tells the newest state from an older one: it is not kept, or Stripe is asked for it",
    "the events have left no row in any store in their usual shape",
    "is the API version of the webhook itself",
    "the target handles none of the events that tell of a subscription",
    "an old event about the subject of the target file is rightly ignored: its state is newer",
)

_NO_EFFECT = "applied: expected an effect in a store"


@dataclass(frozen=True)
class Found:
    """A finding by the name that truths know it by: that of the case that fails for it, or, in passing, of its rule."""

    name: str
    case: str
    check: str
    told: str


@dataclass(frozen=True)
class Fault:
    """A true fault: what is wrong, where that is written, and the checks that fail for it, by cases or rules.

    A name may have stars. Then at least one of the cases must fail, and each may. A rule's name stands for what cases
    have seen in passing: ``error_handling/disclosure*`` is what any case has seen, and its own cases fail for. Where
    those of its topic never do, ``seen_in`` is the topic whose cases see it. What is ``rare`` need not be found.
    """

    what: str
    where: str
    found: Mapping[str, frozenset[str]]
    seen_in: str = ""
    rare: bool = False


@dataclass(frozen=True)
class Truth:
    """A neighbour's true faults, the types it handles, what its target file does not offer, and what is unknown.

    ``loses`` is in how many cases the control may see no effect, of a neighbour that answers first and then loses what
    meets a lock of its database.
    """

    faults: tuple[Fault, ...]
    handles: tuple[str, ...]
    not_offered: frozenset[str]
    unknown: Mapping[str, str]
    path: str
    init_finds: bool
    loses: int = 0

    @classmethod
    def read(cls, file: Path) -> "Truth":
        """Read a ``truth.toml``; what its SDK does to every user stands in a file of its own, named by ``sdk``."""
        content = tomllib.loads(file.read_text())
        faults = [*content.get("fault", [])]
        if sdk := content.get("sdk"):
            faults += tomllib.loads((file.parent.parent / f"{sdk}.toml").read_text())["fault"]
        return cls(
            tuple(
                Fault(
                    one["what"],
                    one["where"],
                    {name: frozenset(checks) for name, checks in one["found"].items()},
                    one.get("seen_in", ""),
                    one.get("rare", False),
                )
                for one in faults
            ),
            tuple(content["handles"]),
            _NOT_IN_A_SMALL_FILE - frozenset(content.get("offers", [])),
            {name: one["because"] for one in content.get("unknown", []) for name in one["cases"]},
            content["path"],
            content.get("init_finds", True),
            content.get("loses", 0),
        )

    def surprises(self, cases: Mapping[str, Case], judged: Judged, of: str = "") -> list[str]:
        """Return a line for each verdict that is wrong: false, missing, unknown, or skipped though it need not be.

        ``of`` is the topic or scenario that ran: faults that only others find are not missing.
        """
        found = [one for name, event in judged.items() for one in list_found(name, event)]
        told, lost = [*self._missing(found, of), *self._false(found)], 0
        for name, event in judged.items():
            verdict = event["verdict"]
            match verdict["kind"]:
                case "errored" if lost < self.loses and verdict["detail"].startswith(_NO_EFFECT):
                    lost += 1
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

    def _missing(self, found: Sequence[Found], of: str) -> Iterator[str]:
        for fault in self.faults:
            for pattern, checks in () if fault.rare else fault.found.items():
                for check in sorted(checks) if (fault.seen_in or pattern).startswith(of) else ():
                    if not any(_matches(pattern, one.name) and check == one.check for one in found):
                        yield f"MISSING  {pattern} by {check}: {fault.what} ({fault.where})"

    def _false(self, found: Sequence[Found]) -> Iterator[str]:
        true = [(pattern, checks) for fault in self.faults for pattern, checks in fault.found.items()]
        for one in found:
            if not any(one.check in checks and _matches(pattern, one.name) for pattern, checks in true):
                seen_by = "" if one.name == one.case else f", seen by {one.case}"
                yield f"FALSE    {one.name} by {one.check}{seen_by}: {one.told}"


def list_found(case: str, event: Mapping[str, Any]) -> Sequence[Found]:
    """Return what a case has found, by its verdict and in passing, each check once for each name."""
    found: dict[tuple[str, str], Found] = {}
    named = [(case, one) for one in event["verdict"].get("findings", ())]
    named += [(one["rule"], one) for one in event["passing"]]
    for name, one in named:
        told = f"expected {one['expected']}; seen {one['seen']}"
        found.setdefault((name, one["check"]), Found(name, case, one["check"], told))
    return tuple(found.values())


def _matches(pattern: str, name: str) -> bool:
    """Whether a case is one of those named; brackets are no wildcards."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))
