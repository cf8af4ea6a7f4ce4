import itertools
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.checks.accepted import Accepted
from payproof.checks.applied import Applied
from payproof.checks.no_disclosure import NoDisclosure
from payproof.checks.nothing_changed import NothingChanged
from payproof.checks.nothing_sensitive_logged import NothingSensitiveLogged
from payproof.checks.rejected import Rejected
from payproof.domain.accepted import AcceptedRisk, AcceptedRisks
from payproof.domain.check import Check
from payproof.domain.events import CaseFinished, Record, Unwatched
from payproof.domain.finding import Finding, Severity
from payproof.domain.observation import Answer, Channel, Exchange, LogLines, NoAnswer, Sent, StoreChange, TableChange
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.sensitive import Exposure, Secret
from payproof.domain.target import Contract, Environment, SourceSpec, Target, Waiver, Webhook
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.engine.accepting import judge_problems
from payproof.engine.folding import fold_findings
from payproof.engine.judge import exit_code, find_passing, has_unmet, judge, skip
from payproof.errors import Reason
from payproof.steps.deliver import Deliver

SENT = Sent("POST", "https://billing.example/webhooks/stripe", "a note", 2, "0" * 64)
EXPECT = (Rejected(), NothingChanged(), NothingSensitiveLogged(), NoDisclosure())
CASE = Case("t/s[c]", "c", Phase((Deliver(signature="missing.no_header"),), EXPECT), advised_for=frozenset({"go"}))
SCENARIO = Scenario(
    "t/s",
    "A rule",
    Severity.HIGH,
    (Requirement("R1", "It must."),),
    Phase((Deliver(),), (Accepted(), Applied())),
    (CASE,),
    {},
)


def answered(status=401, **more):
    """Return an exchange with an answer."""
    return Exchange(0, SENT, Answer(status, (), more.pop("body", ""), 0, 0.01, **more))


def silent(reason=Reason.TIMEOUT):
    """Return an exchange without an answer."""
    return Exchange(0, SENT, NoAnswer(reason, "no answer", 1.0))


def changed(*tables, **more):
    """Return a look into a store."""
    return StoreChange(0, "database", tuple(TableChange(table, 1, 0) for table in tables), **more)


LINES = LogLines(0, "log", ("rejected",))
CONTROL = (answered(200), changed("subscriptions"), LogLines(0, "log", ()))
QUIET = (answered(), changed(), LINES)
STORE_WAIVED = Waiver(Channel.STORE, "no access to the database")
LOG_WAIVED = Waiver(Channel.LOG, "no access to the log")


def judged(record=None, contract=None, scenario=SCENARIO, case=CASE):
    """Judge a record."""
    return judge(contract or Contract(), scenario, case, record or Record(CONTROL, QUIET))


def test_all_held_is_passed():
    """Where the control took effect and every expectation was looked at and held, the case passed."""
    assert judged() == Passed(("rejected", "nothing_changed", "nothing_sensitive_logged", "no_disclosure"))


@pytest.mark.parametrize(
    ("control", "verdict"),
    [
        ((answered(401), *CONTROL[1:]), Errored(Reason.CONTROL_FAILED, "accepted: expected a status of 200 to 299,")),
        ((answered(200), changed(), LINES), Errored(Reason.CONTROL_FAILED, "applied: expected an effect in a store")),
        ((silent(), changed(), LINES), Errored(Reason.TIMEOUT, "in the control: no answer")),
        ((silent(Reason.TLS_FAILED), *CONTROL[1:]), Errored(Reason.TLS_FAILED, "in the control: no answer")),
        ((answered(200), LINES), Skipped("the control could not be judged: applied saw no store")),
        ((), Skipped("the control could not be judged: accepted saw no http")),
    ],
    ids=["refused", "no effect", "silent", "TLS", "no store", "nothing"],
)
def test_without_a_control_there_is_no_verdict_on_the_target(control, verdict):
    """A control that failed, got no answer or could not be looked at ends the case, whatever came after it."""
    for observations in (QUIET, (answered(200), changed("subscriptions"), LINES)):
        got = judged(Record(control, observations))
        assert type(got) is type(verdict)
        assert getattr(got, "reason", None) == getattr(verdict, "reason", None)
        said, wanted = (getattr(v, "detail", None) or v.why for v in (got, verdict))
        assert said.startswith(wanted)


def test_control_that_is_waived_whole_is_no_control():
    """Where all that the control expects is waived, a rejection proves nothing."""
    scenario = replace(SCENARIO, control=Phase((Deliver(),), (Applied(),)))
    got = judged(Record((answered(401),), (answered(),)), Contract(waivers=(STORE_WAIVED, LOG_WAIVED)), scenario)
    assert got == Skipped("every expectation of the control is waived: applied (store)", ("[[stores]]",))


@pytest.mark.parametrize(
    ("observations", "checks"),
    [
        ((answered(200), changed(), LINES), ["rejected"]),
        ((answered(500), changed(), LINES), ["rejected"]),
        ((answered(), changed("subscriptions"), LINES), ["nothing_changed"]),
        ((answered(exposures=(Exposure("name", "n", "body"),)), changed(), LINES), ["no_disclosure"]),
        ((answered(200), changed("a", "b"), LINES), ["rejected", "nothing_changed", "nothing_changed"]),
        ((silent(), changed("subscriptions"), LINES), ["nothing_changed"]),
        ((answered(200),), ["rejected"]),
    ],
    ids=["accepted", "crashed", "applied", "disclosed", "all", "applied in silence", "without other channels"],
)
def test_finding_is_failed(observations, checks):
    """Each broken expectation is a finding, also where something else could not be looked at."""
    got = judged(Record(CONTROL, observations))
    assert isinstance(got, Failed)
    assert not got.advised
    assert [finding.check for finding in got.findings] == checks


def test_finding_outweighs_a_marker_that_was_not_seen():
    """What was seen to be broken is broken, though the watched place may be a wrong one."""
    unwatched = (Unwatched(Channel.STORE, "database"),)
    assert isinstance(judged(Record(CONTROL, (answered(200), changed(), LINES), unwatched)), Failed)


@pytest.mark.parametrize("channel", [Channel.STORE, Channel.LOG])
def test_marker_not_seen_is_errored(channel):
    """The silence of a source in which the marker was not seen is no proof."""
    got = judged(Record(CONTROL, QUIET, (Unwatched(channel, "elsewhere"),)))
    assert isinstance(got, Errored)
    assert got.reason is Reason.MARKER_NOT_SEEN
    assert "elsewhere" in got.detail


def test_target_that_is_gone_is_a_finding():
    """A request after which the target was gone fails its case, with the command that repeats it as evidence."""
    got = judged(Record(CONTROL, QUIET, (), (Reason.CRASHED, "no answer came to x"), "curl https://t.example"))
    assert isinstance(got, Failed)
    assert [(one.check, one.seen, one.evidence) for one in got.findings] == [
        ("alive", "no answer came to x", ("curl https://t.example",))
    ]


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.CRASHED])
def test_no_answer_is_errored_with_its_reason(reason):
    """Where a request got no answer and nothing was found, the reason is told and nothing passes."""
    assert judged(Record(CONTROL, (silent(reason), changed(), LINES))) == Errored(reason, "no answer")
    assert judged(Record(CONTROL, QUIET, (), (reason, "why"))) == Errored(reason, "why")


@pytest.mark.parametrize(
    ("observations", "waivers", "verdict"),
    [
        ((answered(), LINES), (), Skipped),
        ((answered(), changed()), (), Skipped),
        ((changed(), LINES), (), Skipped),
        ((answered(), LINES), (LOG_WAIVED,), Skipped),
        ((answered(), LINES), (STORE_WAIVED,), Passed),
        ((answered(),), (STORE_WAIVED, LOG_WAIVED), Passed),
        ((answered(200),), (STORE_WAIVED, LOG_WAIVED), Failed),
    ],
)
def test_missing_channel_is_skipped_unless_waived(observations, waivers, verdict):
    """A channel that was not looked at keeps a case from passing; only the owner's waiver, with a reason, lets it."""
    assert isinstance(judged(Record(CONTROL, observations), Contract(waivers=waivers)), verdict)


def test_waived_expectations_are_listed():
    """A pass names what was waived; what held does not include it, but by which channels it was judged."""
    got = judged(Record(CONTROL, (answered(),)), Contract(waivers=(STORE_WAIVED, LOG_WAIVED)))
    waived = ("nothing_changed (store)", "nothing_sensitive_logged (log)")
    assert got == Passed(("rejected", "no_disclosure"), waived)


def test_what_is_waived_in_part_is_judged_by_the_rest():
    """An expectation of which one channel is waived holds or fails by what was seen in its others."""
    case = replace(CASE, phase=Phase(CASE.phase.steps, (BothChannels(),)))
    contract = Contract(waivers=(STORE_WAIVED, LOG_WAIVED))
    assert judged(Record(CONTROL, (answered(),)), contract, case=case) == Passed(
        ("both_channels (http)",), ("both_channels (log)",)
    )
    assert isinstance(judged(Record(CONTROL, (answered(500),)), contract, case=case), Failed)
    assert isinstance(judged(Record(CONTROL, (silent(),)), contract, case=case), Errored)


def test_all_waived_is_skipped():
    """Where every expectation is waived, nothing was proven."""
    case = replace(CASE, phase=Phase(CASE.phase.steps, (NothingChanged(),)))
    got = judged(Record(CONTROL, (answered(),)), Contract(waivers=(STORE_WAIVED,)), case=case)
    assert got == Skipped("every expectation is waived: nothing_changed (store)", ("[[stores]]",))


def test_advice_is_marked():
    """An SDK's user is advised, others are told that the rule is broken; a leak is never merely advice."""
    accepted = Record(CONTROL, (answered(200), changed("subscriptions"), LINES))
    assert [judged(accepted, Contract(sdk=sdk)).advised for sdk in ("go", "python", None)] == [True, False, False]
    leak = (answered(200, exposures=(Exposure("name", "n", "body"),)), changed("subscriptions"), LINES)
    assert not judged(Record(CONTROL, leak), Contract(sdk="go")).advised


def test_body_that_was_cut_is_not_judged_as_held():
    """A check that reads bodies says nothing about one that was cut; its status still breaks a rule."""
    got = judged(Record(CONTROL, (answered(cut=True, body="x"), changed(), LINES)))
    assert isinstance(got, Errored)
    assert got.reason is Reason.RESPONSE_TOO_LARGE
    assert isinstance(judged(Record(CONTROL, (answered(200, cut=True), changed(), LINES))), Failed)


@dataclass(frozen=True)
class BothChannels(Check):
    """A check that reads answers and logs."""

    name: ClassVar[str] = "both_channels"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP, Channel.LOG})

    def judge(self, seen):
        """Find an answer of 500."""
        for one in seen.exchanges:
            if isinstance(one.answer, Answer) and one.answer.status >= 500:
                yield Finding(self.name, "this", "that")


@dataclass(frozen=True)
class Boundless(Check):
    """A check that names no channels."""

    name: ClassVar[str] = "boundless"

    def judge(self, _seen):
        """Find something."""
        yield Finding(self.name, "this", "that")


def test_check_without_channels_is_judged():
    """A check that needs no channel is not left out in silence."""
    case = replace(CASE, phase=Phase(CASE.phase.steps, (Boundless(),)))
    assert isinstance(judged(case=case), Failed)


answers = st.sampled_from([200, 204, 302, 400, 401, 403, 404, 500]).map(answered)
exchanges = st.one_of(answers, st.sampled_from(list(Reason)).map(silent))
looks = st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True).map(lambda tables: changed(*tables))
seen = st.lists(st.one_of(exchanges, looks, st.just(LINES)), max_size=6).map(tuple)
unwatched = st.lists(
    st.sampled_from([Unwatched(Channel.STORE, "database"), Unwatched(Channel.LOG, "log")]), max_size=2, unique=True
).map(tuple)
stops = st.one_of(st.none(), st.tuples(st.sampled_from(list(Reason)), st.just("why")))
# Most of what is drawn is as it should be, so that what is wrong stands alone and passes are drawn too.
records = st.builds(
    Record,
    st.one_of(st.just(CONTROL), seen),
    st.one_of(st.just(QUIET), seen),
    st.one_of(st.just(()), unwatched),
    st.one_of(st.none(), stops),
)
contracts = st.sets(st.sampled_from([STORE_WAIVED, LOG_WAIVED]), max_size=2).map(
    lambda waivers: Contract(waivers=tuple(sorted(waivers, key=lambda waiver: waiver.channel)))
)


@given(records, contracts)
def test_unknown_never_passes(record, contract):
    """Whatever was observed: a pass had a control that held, every channel or its waiver, answers, watched sources."""
    verdict = judged(record, contract)
    if not isinstance(verdict, Passed):
        return
    waived = {waiver.channel for waiver in contract.waivers}
    assert record.stopped is None
    for observations in (record.control, record.observations):
        assert not [o for o in observations if isinstance(o, Exchange) and isinstance(o.answer, NoAnswer)]
    assert [o for o in record.control if isinstance(o, Exchange)]
    assert all(o.answer.status in range(200, 300) for o in record.control if isinstance(o, Exchange))
    if Channel.STORE not in waived or any(isinstance(o, StoreChange) for o in record.control):
        assert any(o.tables for o in record.control if isinstance(o, StoreChange))
    assert {Channel.HTTP, Channel.STORE, Channel.LOG} - {o.channel for o in record.observations} <= waived
    assert not record.unwatched
    assert all(o.answer.status in {400, 401, 403} for o in record.observations if isinstance(o, Exchange))
    assert not any(o.tables for o in record.observations if isinstance(o, StoreChange))


@given(records)
def test_judging_is_repeatable(record):
    """The same record gives the same verdict."""
    assert judged(record) == judged(record)


def finished(verdict, number):
    """Return a case of a rule of its own."""
    return CaseFinished(f"t/s{number}[c]", "A rule", Severity.HIGH, verdict, Record(), 0.1, "")


PASSED, ADVISED = Passed(("rejected",)), Failed((Finding("a", "b", "c"),), advised=True)
FAILED, ERRORED, SKIPPED = Failed((Finding("a", "b", "c"),)), Errored(Reason.TIMEOUT, "d"), Skipped("why")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((), ExitCode.NOTHING_RAN),
        ((SKIPPED,), ExitCode.NOTHING_RAN),
        ((SKIPPED, SKIPPED), ExitCode.NOTHING_RAN),
        ((PASSED,), ExitCode.HELD),
        ((PASSED, SKIPPED), ExitCode.HELD),
        ((ADVISED,), ExitCode.HELD),
        ((ADVISED, SKIPPED, PASSED), ExitCode.HELD),
        ((ERRORED,), ExitCode.UNKNOWN),
        ((PASSED, ERRORED), ExitCode.UNKNOWN),
        ((ADVISED, ERRORED), ExitCode.UNKNOWN),
        ((SKIPPED, ERRORED), ExitCode.UNKNOWN),
        ((FAILED,), ExitCode.BROKEN),
        ((FAILED, ERRORED, PASSED, SKIPPED, ADVISED), ExitCode.BROKEN),
    ],
)
def test_exit_codes(verdicts, code):
    """A broken rule outweighs an unknown, an unknown outweighs what held, and skipped cases prove nothing."""
    for order in itertools.permutations(verdicts):
        cases = [
            CaseFinished(f"t/s[{n}]", "A rule", Severity.HIGH, one, Record(), 0.1, "") for n, one in enumerate(order)
        ]
        assert exit_code(order, judge_problems(fold_findings(Contract(), cases))) is code


def test_what_is_known_or_waived_breaks_nothing():
    """A run whose every problem is in the baseline or waived ends well; a new one beside them breaks."""
    cases = [finished(FAILED, n) for n in range(3)]
    problems = fold_findings(Contract(), cases)
    first, second, _ = (one.fingerprint for one in problems)
    waiver = AcceptedRisk("waiver 1", second, None, None, "accepted", date(2030, 1, 1))
    verdicts = [case.verdict for case in cases]
    judged_all = judge_problems(problems, AcceptedRisks(frozenset(one.fingerprint for one in problems)))
    assert exit_code(verdicts, judged_all) is ExitCode.HELD
    assert (
        exit_code(verdicts, judge_problems(problems, AcceptedRisks(frozenset({first}), (waiver,)))) is ExitCode.BROKEN
    )


def test_what_passes_is_no_verdict_on_the_case():
    """What a check that looks at everything has found counts against its own rule; the case's own rule has held."""
    case = replace(CASE, phase=Phase(CASE.phase.steps, (Rejected(),)))
    record = Record(CONTROL, (answered(exposures=(Exposure("name", "n", "body"),)), changed(), LINES))
    assert judged(record, case=case) == Passed(("rejected",))
    (found,) = find_passing(Contract(), SCENARIO, case, record)
    assert (found.check, found.rule) == ("no_disclosure", "error_handling/disclosure")
    assert not find_passing(Contract(), SCENARIO, CASE, record)  # the case names the check itself
    (own,) = judged(record).findings
    assert own.rule == "error_handling/disclosure"


def target(**more):
    """Return a target without sources."""
    hook = Webhook("/hook", Secret("webhook secret", "whsec_made_up"), "2022-11-15")
    return Target("t", "https://billing.example", Environment.STAGING, hook, **more)


@pytest.mark.parametrize(
    ("need", "offer"),
    [
        ("store", {"stores": (SourceSpec("s", "sqlite:x"),)}),
        ("log", {"logs": (SourceSpec("l", "file:x"),)}),
        ("api_key", {"api_key": Secret("k", "sk_made_up")}),
        ("publishable_key", {"publishable_key": "pk_test_1"}),
    ],
)
def test_needs(need, offer):
    """A case that needs what the target file does not offer is skipped, and the reason names what is missing."""
    case = replace(CASE, needs=(need,))
    why = skip(target(), SCENARIO, case)
    assert why is not None
    assert why.why.startswith("the target file")
    assert skip(target(**offer), SCENARIO, case) is None


def test_production_runs_only_what_changes_nothing():
    """On production every scenario that is not passive is skipped."""
    production = replace(target(), environment=Environment.PRODUCTION)
    assert skip(production, SCENARIO, CASE) is not None
    assert skip(production, replace(SCENARIO, passive=True), CASE) is None


def test_unmet_asks_patient_checks_only():
    """Waiting is worth it while an effect has not come, and not for what can only get worse."""
    assert has_unmet(Contract(), (Accepted(), Applied()), (answered(500), changed()))
    assert not has_unmet(Contract(), (Accepted(), Applied()), (answered(500), changed("a")))
    assert not has_unmet(Contract(), EXPECT, (answered(200), changed("a")))


def test_unmet_does_not_wait_for_a_channel_that_is_not_there():
    """Without a store no effect can ever show: nothing is waited for."""
    assert not has_unmet(Contract(), (Accepted(), Applied()), (answered(200), LINES))


def test_case_is_judged_beside_its_control():
    """What the control's good answer shows too is no disclosure by error; the control itself is judged by itself."""
    named, refused = replace(answered(200).answer, headers=(("server", "nginx/1.22.1"),)), answered(401)
    control = (replace(CONTROL[0], answer=named), *CONTROL[1:])
    quiet = (replace(refused, answer=replace(refused.answer, headers=named.headers)), *QUIET[1:])
    assert isinstance(judged(Record(control, quiet)), Passed)
    (finding,) = judged(Record(CONTROL, quiet)).findings
    assert (finding.check, finding.seen) == ("no_disclosure", "version of the server's software")
