"""Tells a run case by case, whoever judges the cases: header, cases, and a footer however the run ends."""

import time
from collections.abc import Callable, Iterator, Sequence

from payproof.domain.events import CaseFinished, CaseStarted, RunEvent, RunStarted
from payproof.domain.scenario import Case, Scenario
from payproof.domain.verdict import Failed
from payproof.session.ending import Terms, end_run
from payproof.session.interrupts import allow_interrupts

__all__ = ["Choice", "tell_run"]

Choice = tuple[Scenario, Case]


def tell_run(
    header: RunStarted,
    choices: Sequence[Choice],
    judge_case: Callable[[Choice], CaseFinished],
    terms: Terms | None = None,
) -> Iterator[RunEvent]:
    """Yield what happens; an interrupt ends a run with a code of its own, and so many failed cases end it too."""
    begun, terms = time.perf_counter(), terms or Terms()
    cases: list[CaseFinished] = []
    interrupted, failed = False, 0
    yield header
    for choice in choices:
        yield CaseStarted(choice[1].id)
        try:
            with allow_interrupts():
                finished = judge_case(choice)
        except KeyboardInterrupt:
            interrupted = True
            break
        cases.append(finished)
        yield finished
        failed += _has_failed(finished)
        if terms.fail_fast is not None and failed >= terms.fail_fast:
            break
    seconds, unrun = time.perf_counter() - begun, len(choices) - len(cases)
    yield from end_run(header.contract, cases, seconds, terms, interrupted=interrupted, unrun=unrun)


def _has_failed(case: CaseFinished) -> bool:
    """Whether a case has seen anything that the target must mend."""
    return bool(case.passing) or (isinstance(case.verdict, Failed) and not case.verdict.advised)
