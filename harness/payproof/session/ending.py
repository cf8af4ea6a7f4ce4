"""How a run ends: its problems, how many cases came to what, and the exit code; the same for a run and for a record."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from payproof.domain.events import CaseFinished, ProblemsFound, RunEvent, RunFinished
from payproof.domain.target import Contract
from payproof.domain.verdict import ExitCode, Failed, Verdict
from payproof.engine.folding import fold_findings, judge_problems
from payproof.engine.judge import exit_code

__all__ = ["count_verdicts", "end_run"]


def end_run(
    contract: Contract, cases: Sequence[CaseFinished], seconds: float, *, interrupted: bool
) -> Iterator[RunEvent]:
    """Yield the problems of a run, and its footer."""
    problems = judge_problems(fold_findings(contract, cases))
    yield ProblemsFound(problems)
    verdicts = [case.verdict for case in cases]
    code = ExitCode.INTERRUPTED if interrupted else exit_code(verdicts, problems)
    yield RunFinished(counts=count_verdicts(verdicts), exit_code=code, seconds=seconds)


def count_verdicts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many verdicts there are of each kind; broken advice is counted apart from broken rules."""
    kinds = ("passed", "failed", "advised", "errored", "skipped")
    found = Counter("advised" if isinstance(v, Failed) and v.advised else v.kind for v in verdicts)
    return {kind: found[kind] for kind in kinds}
