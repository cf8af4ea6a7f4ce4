"""What an owner accepts: baselines, waivers, and how runs compare."""

import json
from dataclasses import replace
from datetime import date

import pytest

from payproof.domain.accepted import AcceptedRisk, AcceptedRisks
from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished, ProblemsFound, Record, RunStarted
from payproof.domain.finding import Finding, Severity, Spot
from payproof.domain.problem import ProblemStatus
from payproof.domain.target import Contract
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.engine.accepting import WAIVERS_RULE, judge_problems
from payproof.engine.folding import fold_findings
from payproof.errors import ConfigurationError, Reason
from payproof.language.waiver_file import KnownThing, read_baseline, read_waivers, write_baseline
from payproof.session import RecordedRun, Terms, compare_runs, read_accepted
from payproof.session.ending import end_run

TODAY = date(2030, 6, 15)
HEADER = RunStarted("1", "t", "", "", "local", 1, "2030-01-01T00:00:00+00:00", 2, (), (), Contract())


def case(name, *, advised=False, kind="server error", rule="t/a"):
    """Return a case that fails by one finding."""
    finding = Finding("rejected", "no", "yes", kind=kind, spot=Spot(Channel.HTTP, f"POST /{name}, 5xx"), rule=rule)
    verdict = Failed((finding,), advised=advised)
    return CaseFinished(f"t/a[{name}]", "A rule", Severity.HIGH, verdict, Record(), 0.1, "payproof run")


def waiver(**given):
    """Return a waiver until the day after."""
    content = {"fingerprint": None, "location": None, "kind": None, "expires": date(2030, 6, 16), **given}
    return AcceptedRisk("waiver 1", reason="nobody reaches it from outside", **content)


CASES = (case("one"), case("two"))
ONE, TWO = fold_findings(Contract(), CASES)


@pytest.mark.parametrize(
    ("given", "statuses"),
    [
        ({"fingerprint": ONE.fingerprint}, ["waived", "new"]),
        ({"location": "t/a: POST /one, 5xx"}, ["waived", "new"]),
        ({"location": "t/a: *"}, ["waived", "waived"]),
        ({"location": "*", "kind": "server error"}, ["waived", "waived"]),
        ({"location": "*", "kind": "stack trace"}, ["new", "new"]),
        ({"fingerprint": "a" * 20}, ["new", "new"]),
    ],
)
def test_waivers_name_problems(given, statuses):
    """A waiver is about a problem by its fingerprint, or about those at a place and of a kind."""
    judged = judge_problems((ONE, TWO), AcceptedRisks(waivers=(waiver(**given),)), TODAY)
    assert [one.status for one in judged] == statuses
    assert all("nobody reaches it from outside (until 2030-06-16)" in one.why for one in judged if one.why)


def test_a_waiver_that_is_over_is_a_problem():
    """After its last day a waiver waives nothing, and is told as a problem of its own."""
    over = waiver(fingerprint=ONE.fingerprint, expires=date(2030, 6, 14))
    judged = judge_problems((ONE,), AcceptedRisks(waivers=(over,), file="accepted.yaml"), TODAY)
    assert [(one.status, one.problem.rule) for one in judged] == [("new", "t/a"), ("new", WAIVERS_RULE)]
    assert judged[1].problem.sightings[0].finding.seen == "over since 2030-06-14: nobody reaches it from outside"
    assert str(judged[1].problem.spot) == "accepted.yaml, waiver 1"


@pytest.mark.parametrize(("whole", "more"), [(True, 1), (False, 0)])
def test_a_waiver_that_fits_nothing_is_a_problem_of_a_whole_run(whole, more):
    """Of a run that left scenarios out nobody knows whether a waiver fits; of a whole one it is told."""
    judged = judge_problems((ONE,), AcceptedRisks(waivers=(waiver(fingerprint="a" * 20),)), TODAY, whole=whole)
    assert len(judged) == 1 + more


def test_baselines_hold_problems(tmp_path):
    """What a baseline has written is known by it: told, and no failure."""
    file = tmp_path / "known.json"
    file.write_text(write_baseline("problems", [KnownThing(ONE.fingerprint, 1, ONE.title, str(ONE.spot))]))
    judged = judge_problems((ONE, TWO), read_accepted(file, None), TODAY)
    assert [one.status for one in judged] == [ProblemStatus.KNOWN, ProblemStatus.NEW]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{"version": 2, "of": "problems", "known": {}}',
            "a baseline of version 2, which a newer Payproof has written",
        ),
        ('{"version": 1, "of": "leaks", "known": {}}', "a baseline of leaks, not of problems"),
        ('{"version": 1, "known": {}}', "'of' is missing"),
        ("{", "it is no JSON"),
    ],
)
def test_other_baselines_are_refused(tmp_path, text, told):
    """A baseline of another sort or of a newer version is refused in one line with the file's name."""
    file = tmp_path / "known.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=told) as refused:
        read_baseline(file, "problems")
    assert str(refused.value).startswith(f"{file}: ")


def test_waivers_may_name_an_owner(tmp_path):
    """A waiver's owner is told beside its reason."""
    file = tmp_path / "accepted.yaml"
    file.write_text('waivers: [{location: "t/*", reason: it is decided so, owner: payments, expires: 2030-06-15}]')
    (read,) = read_waivers(file)
    assert read.told == "it is decided so (payments, until 2030-06-15)"


@pytest.mark.parametrize(
    ("known", "fail_on", "code"), [(1, "new", ExitCode.BROKEN), (2, "new", ExitCode.HELD), (2, "any", ExitCode.BROKEN)]
)
def test_what_is_known_fails_where_that_is_asked_for(known, fail_on, code):
    """With `--fail-on any` a known problem ends with code 1 as well; else only a new one does."""
    accepted = AcceptedRisks(frozenset(one.fingerprint for one in (ONE, TWO)[:known]))
    *_, footer = end_run(Contract(), CASES, 1.0, Terms(accepted, fail_on), interrupted=False)
    assert footer.exit_code is code


def test_advice_is_no_failure():
    """A problem of which every case is advice is told and ends with 0."""
    found, footer = end_run(Contract(), [case("one", advised=True)], 1.0, interrupted=False)
    assert [one.status for one in found.problems] == [ProblemStatus.ADVISED]
    assert footer.exit_code is ExitCode.HELD


def recorded(*cases):
    """Return a recorded run of cases."""
    problems = judge_problems(fold_findings(Contract(), cases))
    return RecordedRun(HEADER, {one.id: one for one in cases}, ProblemsFound(problems))


HELD, UNKNOWN, SKIPPED = Passed(("a",)), Errored(Reason.TIMEOUT, "late"), Skipped("no store")


@pytest.mark.parametrize(
    ("later", "counts", "code"),
    [
        ([], (0, 0, 0, 2), ExitCode.HELD),
        ([case("three")], (1, 0, 0, 2), ExitCode.BROKEN),
        ([case("three", advised=True)], (1, 0, 0, 2), ExitCode.HELD),
        ([replace(CASES[0], verdict=HELD)], (0, 1, 0, 1), ExitCode.HELD),
        ([replace(CASES[0], verdict=UNKNOWN)], (0, 0, 1, 1), ExitCode.UNKNOWN),
        ([replace(CASES[0], verdict=SKIPPED)], (0, 0, 1, 1), ExitCode.UNKNOWN),
    ],
)
def test_runs_compare(later, counts, code):
    """A problem is mended where a case that had seen it has held; where it was not judged, nobody knows."""
    after = {one.id: one for one in (*CASES, *later)}
    changed = compare_runs(recorded(*CASES), recorded(*after.values()))
    assert tuple(map(len, (changed.new, changed.mended, changed.unknown, changed.stayed))) == counts
    assert changed.exit_code is code


def test_a_baseline_is_read_by_programs():
    """A baseline says in words what each fingerprint stands for."""
    text = write_baseline("problems", [KnownThing(ONE.fingerprint, 3, ONE.title, "t/a: POST /one, 5xx")])
    known = json.loads(text)["known"][ONE.fingerprint]
    assert known == {"count": 3, "what": "Requests make the service fail", "where": "t/a: POST /one, 5xx"}
