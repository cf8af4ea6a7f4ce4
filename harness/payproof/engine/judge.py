"""Judges a record: pure, so that a recorded run can be judged again by newer checks."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from payproof.checks.applied import Applied
from payproof.domain.check import Check, Expectation
from payproof.domain.decisions import SERVER_ERRORS
from payproof.domain.events import Record
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.needs import NEEDS
from payproof.domain.observation import (
    Answer,
    Channel,
    ColumnsSeen,
    Counted,
    Exchange,
    NoAnswer,
    Observation,
    Purged,
    Searched,
)
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.scenario import EVERYONE, Case, Phase, Scenario
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_route
from payproof.domain.target import Contract, Environment, Target
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped, Verdict
from payproof.domain.wants import CHANNEL_WANTS, Gap, sort_wants
from payproof.errors import Reason
from payproof.registry import checks

__all__ = [
    "exit_code",
    "find_passing",
    "has_crashed",
    "has_unmet",
    "judge",
    "judge_phase",
    "refuse_without_effect",
    "skip",
]

_SUCCESS = range(200, 300)
_MOST_NAMED = 3
_GRAVE = frozenset(
    {"alive", "card_not_sent", "no_disclosure", "not_stored", "nothing_sensitive_logged"}
)  # what is no advice, whatever showed it


@dataclass(slots=True)
class _Weighing:
    """The outcome of one phase's expectations."""

    findings: list[Finding] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    wants: list[str] = field(default_factory=list)
    silence: NoAnswer | None = None

    def add_unjudged(self, one: Expectation, seen: Seen) -> None:
        """Take note of what a check could not judge."""
        unjudged = tuple(one.find_unjudged(seen))
        self.unjudged += unjudged
        self.wants += one.wants if unjudged else ()

    def skip(self, why: str, told: Iterable[str]) -> Skipped:
        """Return that these expectations could not be judged."""
        return Skipped(f"{why}: {'; '.join(told)}", sort_wants(self.wants))


def skip(target: Target, scenario: Scenario, case: Case) -> Skipped | None:
    """Return why a case does not apply to a target, if it does not."""
    if target.environment is Environment.PRODUCTION and not scenario.passive:
        return Skipped("environment is production, and this scenario changes something")
    lacking = [NEEDS[need] for need in case.needs if not NEEDS[need].is_offered(target)]
    gaps = [Gap(need.missing, (need.want(target),)) for need in lacking]
    gaps += [gap for step in case.phase.steps if (gap := step.unfit(target)) is not None]
    if not gaps:
        return None
    why = "; ".join(dict.fromkeys(gap.why for gap in gaps))
    return Skipped(why, sort_wants(want for gap in gaps for want in gap.wants))


def refuse_without_effect(target: Target, scenario: Scenario, case: Case) -> Errored | None:
    """Return that a case has no control, as no genuine event has shown an effect, where it needs that."""
    reactions = target.calibration.reactions
    if not reactions or target.control is not None or Channel.STORE in {one.channel for one in target.contract.waivers}:
        return None
    if scenario.control is None and all(one.is_refused for one in reactions):
        return None  # it takes genuine events in another form only, which is what such a case is to find
    shown_by = (scenario.control or case.phase).expectations
    if not any(isinstance(one.check, Applied) for one in shown_by):
        return None
    answers = Counter("no answer" if one.status is None else str(one.status) for one in reactions)
    told = ", ".join(f"{times} times {answer}" for answer, times in answers.most_common(_MOST_NAMED))
    detail = (
        f"{len(reactions)} types of genuine events were delivered, and none had an effect in a store each time "
        f"(answered: {told}); name a customer that the target knows in [subject]"
    )
    return Errored(Reason.CONTROL_FAILED, detail)


def judge(contract: Contract, scenario: Scenario, case: Case, record: Record) -> Verdict:
    """Return the verdict on what was observed of a case's own rule; an unknown is never a pass."""
    verdict = judge_phase(contract, case.phase, record, scenario.control)
    if isinstance(verdict, Failed):
        by_sdk = contract.sdk in case.advised_for and _is_only_accepted(verdict, case.phase, record)
        for_everyone = EVERYONE in case.advised_for and not _GRAVE & {finding.check for finding in verdict.findings}
        findings = tuple(_assign_rule(finding, scenario) for finding in verdict.findings)
        return replace(verdict, findings=findings, advised=by_sdk or for_everyone)
    if isinstance(verdict, Passed) and (cut := next(_find_cut(record.observations), None)) is not None:
        # The checks that look at whatever passes have not seen all of it.
        return Errored(cut.reason, cut.detail)
    return verdict


def find_passing(contract: Contract, scenario: Scenario, case: Case, record: Record) -> tuple[Finding, ...]:
    """Return what the checks that look at whatever passes have found in a case, beside those that it names itself.

    What was seen was seen, whatever the verdict on the case's own rule.
    """
    own = {one.name for one in case.phase.expectations}
    seen = Seen(contract, record.observations, record.control)
    waived = {waiver.channel for waiver in contract.waivers}
    watching = (part() for name, part in checks().items() if part.watches and name not in own)
    return tuple(
        _assign_rule(finding, scenario) for one in watching if not one.channels & waived for finding in one.judge(seen)
    )


def _assign_rule(finding: Finding, scenario: Scenario) -> Finding:
    """Return a finding with the scenario that it counts against."""
    check = checks().get(finding.of_check or finding.check)
    return replace(finding, rule=(check.rule if check is not None else "") or scenario.id)


def _find_cut(observations: Iterable[Observation]) -> Iterator[NoAnswer]:
    """Yield why an answer cannot be judged whole."""
    for one in observations:
        if isinstance(one, Exchange) and isinstance(one.answer, Answer) and one.answer.cut:
            yield _describe_cut(one.answer)


def _describe_cut(answer: Answer) -> NoAnswer:
    detail = f"of a body of {answer.length:,} bytes only the first {len(answer.body):,} characters were kept"
    return NoAnswer(Reason.RESPONSE_TOO_LARGE, detail, answer.seconds)


def judge_phase(contract: Contract, phase: Phase, record: Record, control: Phase | None = None) -> Verdict:
    """Return the verdict on one phase, after its control where it has one; of a scenario, or of a user's own test."""
    if record.stopped is not None:
        reason, detail = record.stopped
        return Failed((_describe_crash(record, detail),)) if has_crashed(record) else Errored(reason, detail)
    if control is not None and (doubt := _doubt(_weigh(contract, control, record.control))):
        return doubt
    weighed = _weigh(contract, phase, record.observations, record.control)
    if weighed.findings:
        return Failed(tuple(weighed.findings))
    return _unknown(phase, weighed, record) or Passed(tuple(weighed.held), tuple(weighed.waived), tuple(weighed.notes))


def has_crashed(record: Record) -> bool:
    """Whether the target was gone after a request; nothing costs more, whatever the rule was."""
    return record.stopped is not None and record.stopped[0] is Reason.CRASHED


def _describe_crash(record: Record, detail: str) -> Finding:
    """Return the finding of a request after which the target was gone."""
    step = max((one.step for one in record.observations), default=0)
    evidence = (record.again,) if record.again else ()
    exchanges = [one for one in record.observations if isinstance(one, Exchange)]
    spot = spot_of_route(exchanges[-1]) if exchanges else None
    expected, kind = "an answer, and a target that goes on", Kind.CRASH
    return Finding("alive", expected, detail, step, evidence=evidence, kind=kind, spot=spot, of_check=SERVER_ERRORS)


def _doubt(control: _Weighing) -> Errored | Skipped | None:
    """Return why the control does not show that the target listens and that the right places are watched."""
    if control.silence is not None:
        return Errored(control.silence.reason, f"in the control: {control.silence.detail}")
    if control.findings:
        first = control.findings[0]
        return Errored(Reason.CONTROL_FAILED, f"{first.check}: expected {first.expected}, saw {first.seen}")
    if control.unjudged:
        return control.skip("the control could not be judged", control.unjudged)
    if not control.held:
        return control.skip("every expectation of the control is waived", control.waived)
    return None


def _unknown(phase: Phase, weighed: _Weighing, record: Record) -> Errored | Skipped | None:
    """Return what keeps observations without a finding from being a pass."""
    if weighed.silence is not None:
        return Errored(weighed.silence.reason, weighed.silence.detail)
    if (doubt := _doubt_searches(record.observations)) is not None:
        return doubt
    wanted = {channel for one in phase.expectations if not one.own_control for channel in one.channels}
    for unwatched in record.unwatched:
        if unwatched.channel in wanted:
            detail = f"{unwatched.channel} {unwatched.source} does not show what a signed delivery leaves behind"
            return Errored(Reason.MARKER_NOT_SEEN, detail)
    if weighed.unjudged:
        return weighed.skip("nothing was wrong, but not all could be judged", weighed.unjudged)
    if not weighed.held:
        return weighed.skip("every expectation is waived", weighed.waived)
    return None


def _doubt_searches(observations: tuple[Observation, ...]) -> Errored | None:
    """Return why a search that found nothing says nothing: it could not read all, or looked in the wrong place."""
    for one in observations:
        if isinstance(one, Searched) and one.unread:
            more = f" (and {len(one.unread) - 1} more)" if len(one.unread) > 1 else ""
            return Errored(Reason.SOURCE_UNREADABLE, f"{one.locate(one.unread[0].place)}: {one.unread[0].why}{more}")
        if isinstance(one, Searched) and one.spent:
            return Errored(Reason.BUDGET_SPENT, f"{one.channel} {one.source}: {one.spent[0]}")
        if isinstance(one, Searched | Counted) and one.marked is False:
            detail = f"{one.channel} {one.source} was searched, and does not hold what a signed delivery leaves behind"
            return Errored(Reason.MARKER_NOT_SEEN, detail)
        if isinstance(one, ColumnsSeen) and not one.tables:
            return Errored(Reason.MARKER_NOT_SEEN, f"store {one.source} has no table")
        if isinstance(one, Purged) and one.status:
            return Errored(Reason.COMMAND_FAILED, f"the purge ended with status {one.status}")
    return None


def _is_only_accepted(failed: Failed, phase: Phase, record: Record) -> bool:
    """Whether all that is wrong is that a delivery was taken for genuine; a leak or a crash is no SDK's advice."""
    answers = [o.answer for o in record.observations if isinstance(o, Exchange)]
    accepted = all(isinstance(answer, Answer) and answer.status in _SUCCESS for answer in answers)
    deciding = {one.name for one in phase.expectations if one.decides}
    return accepted and {finding.check for finding in failed.findings} <= deciding


def has_unmet(
    contract: Contract,
    expect: Iterable[Check | Expectation],
    observations: tuple[Observation, ...],
    control: tuple[Observation, ...] = (),
) -> bool:
    """Whether a check that may come to hold by waiting does not hold yet; one whose channel is not there never will."""
    seen = Seen(contract, observations, control)
    return any(
        one.patient and one.channels <= _channels(one.scope(seen)) and any(True for _ in one.judge(seen))
        for one in map(Expectation.of, expect)
    )


def _channels(seen: Seen) -> frozenset[Channel]:
    return frozenset(observation.channel for observation in seen.observations)


def _weigh(
    contract: Contract, phase: Phase, observations: tuple[Observation, ...], control: tuple[Observation, ...] = ()
) -> _Weighing:
    weighed = _Weighing()
    seen = Seen(contract, observations, control)
    waived = {waiver.channel for waiver in contract.waivers}
    silences = [o.answer for o in observations if isinstance(o, Exchange) and isinstance(o.answer, NoAnswer)]
    cut: dict[int, Answer] = {}
    for one in phase.expectations:
        scope = one.scope(seen)
        if one.reads is not None and not any(isinstance(observation, one.reads) for observation in scope.observations):
            weighed.unjudged.append(f"{one.name} saw no search")
            continue
        blind = one.channels - _channels(scope)
        weighed.wants += (want for channel in blind - _channels(seen) if (want := CHANNEL_WANTS.get(channel)))
        if blind - waived:
            weighed.unjudged.append(f"{one.name} saw no {' and no '.join(sorted(blind - waived))}")
        elif blind:
            weighed.waived.append(f"{one.name} ({', '.join(sorted(blind))})")
        if blind and blind == one.channels:
            continue
        # Where a request got no answer, an effect that did not come says nothing about the target's rules.
        findings = [] if one.patient and silences else list(one.judge(seen))
        weighed.findings += findings
        if not findings and not blind - waived:
            judged = f" ({', '.join(sorted(one.channels - blind))})" if blind else ""
            weighed.held.append(one.name + judged)
        weighed.add_unjudged(one, seen)
        if text := one.note(seen):
            weighed.notes.append(text)
        if one.reads_bodies:
            answers = (exchange.answer for exchange in scope.exchanges)
            cut |= {id(answer): answer for answer in answers if isinstance(answer, Answer) and answer.cut}
    silences += [_describe_cut(answer) for answer in cut.values()]
    weighed.silence = silences[0] if silences else None
    return weighed


def exit_code(verdicts: Iterable[Verdict], problems: Iterable[JudgedProblem]) -> ExitCode:
    """Return how a run ends: a problem that is new outweighs an unknown.

    Each verdict that failed has its problem; one that is known or waived breaks nothing.
    """
    kinds = [verdict for verdict in verdicts if not isinstance(verdict, Skipped)]
    if any(one.status is ProblemStatus.NEW for one in problems):
        return ExitCode.BROKEN
    if any(isinstance(verdict, Errored) for verdict in kinds):
        return ExitCode.UNKNOWN
    return ExitCode.HELD if kinds else ExitCode.NOTHING_RAN
