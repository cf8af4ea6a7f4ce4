"""A check of one step is the same check: it waits, notes, judges and leaves unjudged as one of all steps does."""

import ast
import inspect
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import payproof
from payproof.checks.applied import Applied
from payproof.checks.done_once import DoneOnce
from payproof.checks.no_decline_code import NoDeclineCode
from payproof.checks.nothing_changed import NothingChanged
from payproof.checks.rejected import Rejected
from payproof.domain.check import Check, Expectation
from payproof.domain.detector import Detector
from payproof.domain.events import Record
from payproof.domain.finding import Severity
from payproof.domain.observation import Answer, Channel, Exchange, Sent, StoreChange, StripeCalls, TableChange
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.seen import Seen
from payproof.domain.source import Source
from payproof.domain.step import Step
from payproof.domain.target import Contract
from payproof.domain.verdict import Errored, Passed, Skipped
from payproof.engine.judge import has_unmet, judge, judge_phase
from payproof.errors import Reason
from payproof.registry import checks
from payproof.scan.detector import AnchoredDetector, PreparedDetector

BASES = (Check, Step, Detector, AnchoredDetector, PreparedDetector, Source)
OPTIONAL = {name for base in BASES for name in {*vars(base), *base.__annotations__} if not name.startswith("_")}
SENT = Sent("POST", "https://billing.example/webhook", "a note", 2, "0" * 64)


@dataclass(frozen=True, slots=True)
class Talking(Check):
    """A check that leaves nothing out."""

    name: ClassVar[str] = "talking"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    patient: ClassVar[bool] = True
    reads: ClassVar[type] = Exchange
    own_control: ClassVar[bool] = True
    reads_bodies: ClassVar[bool] = True
    at_end: ClassVar[bool] = True

    def judge(self, _seen):
        """Find nothing."""
        return ()

    def note(self, seen):
        """Tell how much was seen."""
        return f"{len(seen.observations)} seen"

    def find_unjudged(self, seen):
        """Tell how much was not judged."""
        return [f"{len(seen.observations)} not judged"]


def answered(step, status=401, **more):
    """Return an exchange of a step."""
    return Exchange(step, SENT, Answer(status, (), "", 0, 0.01, **more))


def judged(check, *observations):
    """Return the verdict on a phase that expects one thing."""
    return judge_phase(Contract(), Phase((), (check,)), Record((), observations))


@pytest.mark.parametrize("step", [None, 0, 1])
def test_whatever_a_check_may_leave_out_holds_with_a_step(step):
    """The step of a check takes nothing from it: not its wait, nor its need of bodies, of a search or of a control."""
    one = Expectation(Talking(), step)
    assert {name: getattr(one, name) for name in ("reads", "own_control", "reads_bodies", "at_end", "patient")} == {
        "reads": Exchange,
        "own_control": True,
        "reads_bodies": True,
        "at_end": True,
        "patient": True,
    }


@pytest.mark.parametrize(("step", "seen"), [(None, 3), (0, 1), (1, 2)])
def test_notes_and_what_is_not_judged_are_those_of_the_step(step, seen):
    """What a check of one step notes, and says that it could not judge, is of that step's observations alone."""
    one, all_ = Expectation(Talking(), step), Seen(Contract(), (answered(0), answered(1), answered(1)))
    assert one.note(all_) == f"{seen} seen"
    assert list(one.find_unjudged(all_)) == [f"{seen} not judged"]


def test_a_plain_check_leaves_all_out():
    """What a check does not say has its usual value, with a step and without."""
    for one in (Expectation(Rejected()), Expectation(Rejected(), 1)):
        assert (one.reads, one.own_control, one.reads_bodies, one.at_end) == (None, False, False, False)
        assert (one.note(Seen(Contract(), ())), list(one.find_unjudged(Seen(Contract(), ())))) == ("", [])


def test_a_check_gets_one_step_only():
    """A check that has its step keeps it, and one without gets none."""
    assert Expectation.of(Expectation(Rejected(), 1)) == Expectation(Rejected(), 1)
    assert Expectation.of(Rejected()) == Expectation(Rejected(), None)


def test_waiting_for_a_check_of_one_step():
    """A patient check of a step is waited for when that step has run, and not before."""
    call = StripeCalls(1, ())
    promised = Exchange(
        1, Sent("POST", "https://b.example/customers", "", 0, "", calls="POST /v1/customers"),
        Answer(200, (), "", 0, 0.01),
    )  # fmt: skip
    assert has_unmet(Contract(), [Expectation(DoneOnce(), 1)], (promised, call))
    assert not has_unmet(Contract(), [Expectation(DoneOnce(), 2)], (promised, call))


@pytest.mark.parametrize("check", [NothingChanged(), Applied()])
def test_a_step_without_a_look_is_not_judged(check):
    """A look into the store after another step is none after this one."""
    look = StoreChange(0, "database", (TableChange("t", 1, 0),))
    verdict = judged(Expectation(check, 1), answered(0), look, answered(1))
    assert isinstance(verdict, Skipped)
    assert "saw no store" in verdict.why


def test_a_step_that_never_ran_is_not_judged():
    """A check of a step of which nothing was seen holds for nothing."""
    assert isinstance(judged(Expectation(Rejected(), 1), answered(0)), Skipped)


def test_a_body_that_was_cut_counts_where_it_is_read():
    """A body that was not kept whole keeps a check that reads the bodies of its step from holding, and no other."""
    whole, cut = answered(0), answered(1, cut=True)
    assert isinstance(judged(Expectation(NoDeclineCode(), 0), whole, cut), Passed)
    verdict = judged(Expectation(NoDeclineCode(), 1), whole, cut)
    assert isinstance(verdict, Errored)
    assert verdict.reason is Reason.RESPONSE_TOO_LARGE
    assert isinstance(judged(Expectation(Rejected(), 1), whole, cut), Passed)


def test_a_body_that_was_cut_leaves_what_passes_unknown():
    """A case whose own rule held is unknown where a body was not kept whole: who looks at all answers missed some."""
    case = Case("t/s[c]", "c", Phase((), (Rejected(),)))
    scenario = Scenario("t/s", "A rule", Severity.HIGH, (Requirement("R", "It must."),), None, (case,), {})
    verdict = judge(Contract(), scenario, case, Record((), (answered(0, cut=True),)))
    assert isinstance(verdict, Errored)
    assert verdict.reason is Reason.RESPONSE_TOO_LARGE


def test_no_check_has_a_part_that_its_step_does_not_know():
    """Whatever a registered check says of itself beside its parameters, a check of one step says as well."""
    for name, check in checks().items():
        assert is_dataclass(check)
        parameters = {field.name for field in fields(check)}
        said = {part for part, _ in inspect.getmembers(check) if not part.startswith("_")} - parameters
        assert said <= {part for part, _ in inspect.getmembers(Expectation)} | {"name"}, name


def test_no_code_asks_a_part_whether_it_has_what_it_may_leave_out():
    """The base class of a family says what is usual, so that nothing has to be asked by name."""
    assert {"at_end", "unfit", "by_error", "reach", "search"} <= OPTIONAL
    for path in sorted(Path(inspect.getfile(payproof)).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"getattr", "hasattr"}:
                asked = getattr(node.args[1], "value", None)
                assert asked not in OPTIONAL, f"{path.name}:{node.lineno}"
