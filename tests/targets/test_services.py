"""The scenarios on billing services that share no line with Payproof, each in a language or framework of its own."""

import json
import re
from dataclasses import replace

import pytest

from payproof.domain.finding import Finding
from payproof.domain.observation import Answer
from payproof.domain.seen import Seen
from payproof.domain.verdict import Errored, Failed, Passed, Skipped
from payproof.errors import Reason
from payproof.session import all_scenarios, choose
from payproof.steps.operate import Operate
from payproof.steps.prepare import Prepare
from tests.end_to_end.command import environment, payproof
from tests.targets.expectations import Expectations
from tests.targets.matrix import print_matrix
from tests.targets.service import RECIPES, serve, session_on

pytestmark = pytest.mark.thorough

CASES = {case.id: (scenario, case) for scenario, case in choose(all_scenarios())}
EXPECTED = {name: Expectations.read(recipe.folder / "expected.toml") for name, recipe in RECIPES.items()}
FUTURE, VALID, RETIRED = (
    CASES[f"webhook_signature/{case}"][1]
    for case in ("future[1d]", "valid[invoice.paid]", "retired_secret[after_window]")
)
SHOWN = Finding("no_disclosure", "no internals", "a path", rule="error_handling/disclosure")


@pytest.fixture(scope="module", params=RECIPES)
def service(request):
    """The name of a service."""
    return request.param


@pytest.fixture(scope="module")
def session(service, tmp_path_factory):
    """A session on the service as its team wrote it."""
    with session_on(RECIPES[service], tmp_path_factory.mktemp(service)) as opened:
        yield opened


@pytest.mark.parametrize("case", sorted(CASES))
def test_scenarios_find_what_is_expected(service, session, case):
    """Each case holds and sees nothing in passing, but for what `expected.toml` tells, and by which checks."""
    judged = session.judge_case(*CASES[case])
    assert not (told := EXPECTED[service].surprise(CASES[case][1], judged.verdict, judged.passing)), told


@pytest.mark.parametrize(
    ("service", "defect"), [(name, defect) for name in RECIPES for defect in sorted(EXPECTED[name].defects)]
)
def test_planted_defects_are_caught(tmp_path, service, defect):
    """Each planted fault of the service fails the check that `expected.toml` names, which holds without the fault.

    It counts against the rule that the file names.
    """
    caught = EXPECTED[service].defects[defect]
    usual = (checks for (case, _), checks in EXPECTED[service].failing.items() if case == caught.case)
    assert caught.check not in frozenset[str]().union(*usual)
    with session_on(RECIPES[service], tmp_path, defect) as session:
        judged = session.judge_case(*CASES[caught.case])
    assert caught.is_in(judged.verdict, judged.passing), (judged.verdict, judged.passing)


@pytest.mark.parametrize("operation", ["create_customer", "subscribe", "cancel", "pay", "refund"])
def test_operations_call_stripe_as_the_target_file_says(session, operation):
    """Each operation that the target file describes succeeds, and makes one call to Stripe, with a key.

    The SDK may send it again under that key, on a machine too busy to answer within its 2 s.
    """
    trial = session.trial(operation)
    session.act(trial, Prepare(operation=operation))
    session.act(trial, Operate(operation=operation))
    seen = Seen(session.target.contract, trial.observations)
    (asked,) = seen.operations
    assert isinstance(asked.answer, Answer)
    assert (asked.answer.status, list(json.loads(asked.answer.body))) == (201, ["id"])
    (key,) = {call.idempotency_key for call in seen.calls}
    assert (seen.calls[-1].backend_status, bool(key)) == (200, True), seen.calls


def test_the_command_runs_on_its_target_file(tmp_path):
    """`payproof run --target` tells what holds, what the SDK's users are advised of, and what is broken."""
    with serve(RECIPES["express"], tmp_path) as service:
        codes = [
            payproof(
                "run",
                *("--target", service.file, "--scenario", f"webhook_signature/{scenario}"),
                env=environment(**service.variables),
            ).code
            for scenario in ("expired", "future", "non_ascii_signature")
        ]
    assert codes == [0, 0, 1]


@pytest.mark.parametrize("name", RECIPES)
def test_expectations_name_what_there_is(name):
    """Every case of `expected.toml` exists, and every planted fault has its line."""
    expected = EXPECTED[name]
    assert {case for case, _ in expected.failing} <= CASES.keys()
    rules = {scenario.id for scenario, _ in CASES.values()}
    assert {rule for _, rule in expected.failing} | {one.rule for one in expected.defects.values()} - {""} <= rules
    assert {caught.case for caught in expected.defects.values()} <= CASES.keys()
    assert RECIPES[name].list_planted() == sorted(expected.defects)


def test_the_matrix_counts_each_case_once(capsys):
    """Beside each scenario stand its cases, for every target."""
    assert print_matrix() == 0
    *_, last = capsys.readouterr().out.splitlines()
    cells = last.strip("| ").split(" | ")[1:]
    assert [sum(map(int, re.findall(r"\d+", cell))) for cell in cells] == [len(CASES)] * len(RECIPES)


@pytest.mark.parametrize(
    ("case", "verdict", "passing", "told"),
    [
        (VALID, Passed(("accepted",)), (), ""),
        (VALID, Failed((Finding("accepted", "a status of 200 to 299", "status 500"),)), (), "status 500"),
        (VALID, Skipped("the target file lists no store"), (), "skipped"),
        (VALID, Errored(Reason.CONTROL_FAILED, "status 500"), (), "unknown"),
        (FUTURE, Failed(tuple(Finding(check, "", "") for check in ("nothing_changed", "rejected"))), (), ""),
        (FUTURE, Failed((Finding("rejected", "", ""),)), (), "nothing_changed holds now: remove the line"),
        (FUTURE, Passed(("rejected",)), (), "rejected holds now: remove the line"),
        (FUTURE, Errored(Reason.CONTROL_FAILED, "status 500"), (), "unknown"),
        (RETIRED, Skipped("the target file names no retired_secret_env"), (), ""),
        (RETIRED, Passed(("rejected",)), (), "not skipped"),
        (VALID, Passed(("accepted",)), (SHOWN,), "error_handling/disclosure: no_disclosure: no internals; a path"),
    ],
)
def test_expectations_are_strict(case, verdict, passing, told):
    """A new failure is a surprise, in passing too, and so is one that is repaired, or what is unknown or skipped."""
    surprise = EXPECTED["express"].surprise(case, verdict, passing)
    assert told in surprise
    assert bool(told) is bool(surprise)


def test_expectations_of_another_rule_are_strict():
    """What is expected in passing counts by its rule: it is no surprise, one that has been repaired is, and so is the
    same check's finding against the case's own rule.
    """
    expected = replace(EXPECTED["express"], failing={(VALID.id, SHOWN.rule): frozenset({SHOWN.check})})
    assert not expected.surprise(VALID, Passed(("accepted",)), (SHOWN,))
    assert "no_disclosure holds now" in expected.surprise(VALID, Passed(("accepted",)))
    assert "no internals; a path" in expected.surprise(VALID, Failed((replace(SHOWN, rule=""),)))
