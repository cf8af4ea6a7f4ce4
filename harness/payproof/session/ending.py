"""How a run ends: its problems, how many cases came to what, and the exit code; the same for a run and for a record."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from payproof.domain.accepted import AcceptedRisks
from payproof.domain.events import CaseFinished, ProblemsFound, RunEvent, RunFinished
from payproof.domain.problem import ProblemStatus
from payproof.domain.target import Contract
from payproof.domain.verdict import ExitCode, Verdict, name_verdict
from payproof.engine.accepting import judge_problems
from payproof.engine.folding import fold_findings
from payproof.engine.judge import exit_code
from payproof.language.waiver_file import read_baseline, read_waivers

__all__ = ["Terms", "count_verdicts", "end_run", "read_accepted"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is judged by beside the rules: what its owner accepts, and which problems end it with code 1.

    Of a ``whole`` run, which left nothing out, waivers that fit nothing are told. After ``fail_fast`` failed cases it
    stops.
    """

    accepted: AcceptedRisks = field(default_factory=AcceptedRisks)
    fail_on: Literal["new", "any"] = "new"
    whole: bool = False
    fail_fast: int | None = None


def read_accepted(baseline: Path | None, waivers: Path | None) -> AcceptedRisks:
    """Read what an owner accepts of the problems of a run.

    Raises:
        ConfigurationError: a file is not right.
    """
    known = frozenset(read_baseline(baseline, "problems")) if baseline is not None else frozenset[str]()
    return AcceptedRisks(known, tuple(read_waivers(waivers)) if waivers is not None else (), str(waivers or ""))


def end_run(
    contract: Contract,
    cases: Sequence[CaseFinished],
    seconds: float,
    terms: Terms | None = None,
    *,
    interrupted: bool,
    unrun: int = 0,
) -> Iterator[RunEvent]:
    """Yield the problems of a run, and its footer."""
    terms = terms or Terms()
    today = datetime.now(UTC).date()
    whole = terms.whole and not unrun
    problems = judge_problems(fold_findings(contract, cases), terms.accepted, today, whole=whole)
    yield ProblemsFound(problems)
    verdicts = [case.verdict for case in cases]
    counted = problems
    if terms.fail_on == "any":
        accepted = {ProblemStatus.KNOWN, ProblemStatus.WAIVED}
        counted = tuple(replace(one, status=ProblemStatus.NEW) if one.status in accepted else one for one in problems)
    code = ExitCode.INTERRUPTED if interrupted else exit_code(verdicts, counted)
    if unrun and code is ExitCode.HELD:
        code = ExitCode.UNKNOWN  # it was stopped by what is accepted, or is none any more in this version
    yield RunFinished(counts=count_verdicts(verdicts), exit_code=code, seconds=seconds, unrun=unrun)


def count_verdicts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many verdicts there are of each kind; broken advice is counted apart from broken rules."""
    kinds = ("passed", "failed", "advised", "errored", "skipped")
    found = Counter(map(name_verdict, verdicts))
    return {kind: found[kind] for kind in kinds}
