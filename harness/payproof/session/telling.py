"""Tells a run case by case, whoever judges the cases: header, cases, and a footer however the run ends."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from payproof.domain.events import CaseFinished, CaseStarted, RunEvent, RunFinished, RunStarted
from payproof.domain.scenario import Case, Scenario
from payproof.domain.verdict import ExitCode, Failed, Verdict
from payproof.engine.judge import exit_code
from payproof.session.interrupts import allow_interrupts

__all__ = ["Choice", "count", "tell_run"]

Choice = tuple[Scenario, Case]


def tell_run(
    header: RunStarted,
    choices: Sequence[Choice],
    judge_case: Callable[[Choice], CaseFinished],
    fail_fast: int | None = None,
) -> Iterator[RunEvent]:
    """Yield what happens; an interrupt ends a run with a code of its own, and ``fail_fast`` failed cases end it too."""
    begun = time.perf_counter()
    verdicts: list[Verdict] = []
    interrupted = False
    yield header
    for choice in choices:
        yield CaseStarted(choice[1].id)
        try:
            with allow_interrupts():
                finished = judge_case(choice)
        except KeyboardInterrupt:
            interrupted = True
            break
        verdicts.append(finished.verdict)
        yield finished
        if fail_fast is not None and count(verdicts)["failed"] >= fail_fast:
            break
    yield RunFinished(
        counts=count(verdicts),
        exit_code=ExitCode.INTERRUPTED if interrupted else exit_code(verdicts),
        seconds=time.perf_counter() - begun,
        unrun=len(choices) - len(verdicts),
    )


def count(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how many verdicts there are of each kind; broken advice is counted apart from broken rules."""
    kinds = ("passed", "failed", "advised", "errored", "skipped")
    found = Counter("advised" if isinstance(v, Failed) and v.advised else v.kind for v in verdicts)
    return {kind: found[kind] for kind in kinds}
