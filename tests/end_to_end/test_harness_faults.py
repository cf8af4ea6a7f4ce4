"""What becomes of a mistake in Payproof itself: the case is unknown, and a file for developers shows the way to it."""

import pytest

from payproof.domain.verdict import Errored
from payproof.errors import Reason, record_fault
from payproof.session import all_scenarios, choose, open_session, run
from tests.end_to_end import hostile
from tests.end_to_end.command import SECRET, SECRET_ENV, target_file
from tests.end_to_end.hostile import Server


@pytest.mark.harness_fault
def test_a_fault_is_unknown_and_shows_its_way_but_no_value(tmp_path, monkeypatch, faults):
    """A case in which Payproof fails is errored; the file names types, files, lines and functions, never a text."""

    def fail(*_):
        raise ZeroDivisionError("what the message quotes")

    monkeypatch.setattr(run, "judge", fail)
    monkeypatch.setenv(SECRET_ENV, SECRET)
    choice = choose(all_scenarios(), ids=["webhook_signature/missing[no_header]"])[0]
    with Server(hostile.always(200)) as server, open_session(target_file(tmp_path, server.url), seed=1) as session:
        verdict = session.judge_case(*choice).verdict
    assert isinstance(verdict, Errored)
    assert verdict.reason is Reason.HARNESS_FAULT
    assert verdict.detail.startswith("ZeroDivisionError in test_harness_faults.py:")
    told = faults.read_text()
    assert told.splitlines()[0] == "ZeroDivisionError"
    assert "run.py" in told
    assert told.rstrip().endswith(" fail")
    assert "quotes" not in told


def test_without_the_variable_nothing_is_written(monkeypatch, faults):
    """Users get the place alone."""
    monkeypatch.delenv("PAYPROOF_FAULTS")
    assert record_fault(ValueError("x")) == "ValueError in unknown"
    assert not faults.exists()
