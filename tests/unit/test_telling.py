from dataclasses import replace

import pytest

from payproof.domain.events import CaseFinished, CaseStarted, Record, RunFinished, RunStarted
from payproof.domain.finding import Finding, Severity
from payproof.domain.target import Contract
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.errors import Reason
from payproof.session import Terms, all_scenarios, choose
from payproof.session.telling import tell_run

CHOICES = choose(all_scenarios(), ids=["webhook_signature/expired"])
HEADER = RunStarted("1", "t", "", "", "local", 1, "now", len(CHOICES), (), (), Contract())
FOUND = (Finding("rejected", "no", "yes"),)
HELD, BROKEN = Passed(("rejected",)), Failed(FOUND)
ADVICE, UNKNOWN, SKIPPED = Failed(FOUND, advised=True), Errored(Reason.TIMEOUT, "d"), Skipped("why")


def told(verdicts, fail_fast=None):
    """Return the footer of a run whose cases come to these verdicts; an exception is raised in its case's place."""
    left = iter(verdicts)

    def judge_case(choice):
        verdict = next(left)
        if verdict is KeyboardInterrupt:
            raise KeyboardInterrupt
        return CaseFinished(choice[1].id, "t", Severity.LOW, verdict, Record(), 0.1, "again")

    header, *events, footer = tell_run(HEADER, CHOICES[: len(verdicts)], judge_case, Terms(fail_fast=fail_fast))
    assert header == HEADER
    assert isinstance(footer, RunFinished)
    started = sum(isinstance(one, CaseStarted) for one in events)
    finished = sum(isinstance(one, CaseFinished) for one in events)
    assert started - finished == (footer.exit_code is ExitCode.INTERRUPTED)
    assert finished + footer.unrun == len(verdicts)
    assert sum(footer.counts.values()) == finished
    return replace(footer, seconds=0)


@pytest.mark.parametrize(
    ("verdicts", "fail_fast", "unrun", "code"),
    [
        ([HELD, BROKEN, HELD], None, 0, ExitCode.BROKEN),
        ([HELD, BROKEN, HELD], 1, 1, ExitCode.BROKEN),
        ([BROKEN, HELD, BROKEN, HELD], 2, 1, ExitCode.BROKEN),
        ([HELD, BROKEN], 1, 0, ExitCode.BROKEN),
        ([ADVICE, UNKNOWN, SKIPPED, HELD], 1, 0, ExitCode.UNKNOWN),
        ([HELD, HELD], 1, 0, ExitCode.HELD),
        ([HELD, KeyboardInterrupt, HELD], 1, 2, ExitCode.INTERRUPTED),
        ([BROKEN, KeyboardInterrupt], None, 1, ExitCode.INTERRUPTED),
    ],
)
def test_how_a_run_ends(verdicts, fail_fast, unrun, code):
    """A run ends after so many failed cases, not after advice or unknowns; what did not run is counted."""
    footer = told(verdicts, fail_fast)
    assert (footer.unrun, footer.exit_code) == (unrun, code)
