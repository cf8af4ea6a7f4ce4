import asyncio
from collections.abc import Sequence

import pytest

from payproof.adapters.commands import LocalCommands
from payproof.adapters.outages import LocalOutages
from payproof.at_rest.leak_finder import LocalLeakFinder
from payproof.canary import Ledger
from payproof.checks.accepted import Accepted
from payproof.checks.applied import Applied
from payproof.checks.nothing_changed import NothingChanged
from payproof.checks.rejected import Rejected
from payproof.domain.control import ControlEvents
from payproof.domain.finding import Severity
from payproof.domain.observation import Answer, Channel, Exchange, LogLines, NoAnswer, Sent, StoreChange
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.sensitive import Secret
from payproof.domain.source import Excerpt, Snapshot
from payproof.domain.target import Budget, Contract, Environment, SourceSpec, Target, Webhook
from payproof.engine.equipment import Equipment
from payproof.engine.judge import judge
from payproof.engine.runner import Runner
from payproof.engine.search_at_rest import SearchAtRest
from payproof.errors import InconclusiveError, Reason
from payproof.registry import table_sources
from payproof.session import event_factory
from payproof.session.calibrating import DELIVERIES
from payproof.steps.deliver import Deliver
from payproof.steps.replay import Replay


class FakeClock:
    """Time that passes only by waiting."""

    def __init__(self):
        self.now = 1_900_000_000.0

    def time(self):
        return self.now

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


class FakeTarget:
    """A target in memory: takes what carries a signature, and applies it later; it is its own store and log."""

    name = "memory"

    def __init__(self, clock, *, delay=0.0, forged_delay=None, answer=None, leak="", slow_look=0.0):
        self.clock, self.delay, self.forged_delay, self.answer, self.leak = clock, delay, forged_delay, answer, leak
        self.slow_look = slow_look
        self.due: list[tuple[float, str]] = []
        self.requests = []

    async def send(self, request, step):
        self.requests.append(request)
        genuine = any(name == b"Stripe-Signature" and b"v1=" in value for name, value in request.headers)
        delay = self.delay if genuine else self.forged_delay
        if delay is not None:
            self.due.append((self.clock.now + delay, request.ids[0]))
        answer = self.answer or Answer(200 if genuine else 401, (), "", 0, 0.01)
        return Exchange(step, Sent("POST", "https://t.example/hook", request.note, 0, ""), answer)

    def rows(self):
        return [id_ for when, id_ in self.due if when <= self.clock.now]

    async def snapshot(self, _ids: Sequence[str], before):
        self.clock.now += self.slow_look
        rows = {id_.encode(): 1 for id_ in self.rows()}
        known = {} if before is None else before.tables["events"]
        return Snapshot({"events": rows}, tuple(Excerpt("table events", row) for row in rows if row not in known))

    async def position(self):
        return len(self.rows())

    async def since(self, position):
        for id_ in self.rows()[position:]:
            yield Excerpt("line", f"applied {id_} {self.leak}".encode())

    async def close(self):
        """Do nothing."""


FORGED = Phase((Deliver(signature="missing.no_header"),), (Rejected(), NothingChanged()))
CASE = Case("t/s[c]", "c", FORGED)
SCENARIO = Scenario(
    "t/s",
    "A rule",
    Severity.HIGH,
    (Requirement("R1", "It must."),),
    Phase((Deliver(),), (Accepted(), Applied())),
    (CASE,),
    {},
)


class Bench:
    """A runner on a target in memory."""

    def __init__(
        self, *, contract=None, budget=None, environment=Environment.LOCAL, sources=True, outages=None, **target
    ):
        self.clock = FakeClock()
        self.target = FakeTarget(self.clock, **target)
        self.contract = contract or Contract()
        described = Target(
            "t",
            "https://t.example",
            environment,
            Webhook("/hook", Secret("webhook secret", "whsec_made_up_0123"), "2022-11-15"),
            stores=(SourceSpec("memory", "x:"),) if sources else (),
            logs=(SourceSpec("memory", "x:"),) if sources else (),
            contract=self.contract,
            budget=budget or Budget(),
            control=ControlEvents(),
        )
        self.ledger = Ledger()
        self.outages = outages or LocalOutages(None)
        equipment = Equipment(
            sender=self.target,
            events=event_factory(1),
            ledger=self.ledger,
            clock=self.clock,
            at_rest=SearchAtRest(
                described, open_tables=table_sources()["sqlite"], finder=LocalLeakFinder(()), ledger=self.ledger
            ),
            commands=LocalCommands(),
            outages=self.outages,
        )
        watched = [self.target] if sources else []
        self.runner = Runner(described, equipment, stores=watched, logs=watched, seed=1)

    def run(self, case=CASE, scenario=SCENARIO):
        """Run a case after the marker; return its record."""

        async def both():
            await self.runner.meet((), DELIVERIES)
            return await self.runner.run(scenario, case)

        return asyncio.run(both())

    def judged(self, case=CASE, scenario=SCENARIO):
        """Run a case and judge it."""
        return judge(self.contract, scenario, case, self.run(case, scenario))


@pytest.mark.parametrize("delay", [0.0, 0.1, 1.0, 4.5])
def test_late_effect_of_the_control_is_awaited(delay):
    """A target that works after its answer passes, as long as it keeps to effect_within."""
    assert Bench(delay=delay).judged().kind == "passed"


def test_effect_that_comes_too_late_fails_the_control():
    """An effect that does not come within effect_within is none, and one of the marker that late proves nothing."""
    bench = Bench(delay=6.0)
    verdict = judge(bench.contract, SCENARIO, CASE, asyncio.run(bench.runner.run(SCENARIO, CASE)))
    assert (verdict.kind, verdict.reason) == ("errored", Reason.CONTROL_FAILED)
    verdict = Bench(delay=6.0).judged()
    assert (verdict.kind, verdict.reason) == ("errored", Reason.MARKER_NOT_SEEN)


@pytest.mark.parametrize("delay", [0.05, 0.3, 1.0, 4.0])
def test_forgery_that_is_applied_late_is_seen(delay):
    """A forgery that takes effect as late as genuine events do is a finding, though it was answered 401."""
    verdict = Bench(delay=delay, forged_delay=delay).judged()
    assert verdict.kind == "failed"
    assert {finding.check for finding in verdict.findings} == {"nothing_changed"}


def test_what_must_not_happen_is_watched_twice_as_long_as_effects_took():
    """A forgery may take up to twice the time of the slowest effect so far, and is still seen."""
    assert Bench(delay=1.0, forged_delay=1.9).judged().kind == "failed"


def test_a_slow_look_may_hide_how_late_an_effect_was():
    """Where a busy machine looks so slowly that a late effect is there at once, forgeries are watched as long."""
    bench = Bench(delay=0.3, forged_delay=0.5, slow_look=0.4)
    assert bench.judged().kind == "failed"


def test_settle_is_the_least_time_of_watching():
    """Where genuine events show at once, the contract's settle says how long a forgery is watched."""
    assert Bench(forged_delay=0.5).judged().kind == "passed"
    assert Bench(forged_delay=0.5, contract=Contract(settle=0.6)).judged().kind == "failed"


def test_swift_target_costs_no_waiting():
    """On a target that shows its effects at once nothing waits."""
    bench = Bench()
    before = bench.clock.now
    bench.run()
    assert bench.clock.now - before < 0.01


def test_target_without_sources_costs_no_waiting():
    """Where there is no store to look into, no control waits for an effect."""
    bench = Bench(sources=False)
    before = bench.clock.now
    assert bench.judged().kind == "skipped"
    assert bench.clock.now - before < 0.01


def test_replay_is_judged_by_its_own_change():
    """Each step's change is its own: the first applies, the replay changes nothing more."""
    phase = Phase((Deliver(), Replay(times=2)), (Accepted(), Applied()))
    record = Bench(delay=0.3).run(Case("t/s[r]", "r", phase), Scenario(**{**_fields(SCENARIO), "control": None}))
    changes = [(o.step, [t.added for t in o.tables]) for o in record.observations if isinstance(o, StoreChange)]
    assert changes == [(0, [1]), (1, [])]
    assert [o.step for o in record.observations if isinstance(o, Exchange)] == [0, 1, 1]
    assert [o.step for o in record.observations if isinstance(o, LogLines)] == [0, 1]


def _fields(scenario):
    return {name: getattr(scenario, name) for name in scenario.__dataclass_fields__}


def test_canary_in_a_late_log_line_is_concealed():
    """What a log gains is concealed before it is kept, also a value of the case before."""
    bench = Bench(leak="")
    bench.run()
    name = next(iter(bench.ledger._earlier)).decode()
    bench.target.leak = name
    record = asyncio.run(bench.runner.run(SCENARIO, CASE))
    lines = [o for o in record.control if isinstance(o, LogLines)]
    assert name not in str(record)
    assert any(line.exposures for line in lines)


def test_requests_are_counted():
    """A case that sends more than its budget ends as errored."""
    phase = Phase((Deliver(), Replay(times=10)), (Accepted(),))
    record = Bench(budget=Budget(case_requests=5)).run(Case("t/s[r]", "r", phase))
    assert record.stopped == (Reason.BUDGET_SPENT, "more than 5 requests")


def test_marker_without_an_answer_stops_the_run():
    """A target that gives the marker no answer is told at once."""
    bench = Bench(answer=NoAnswer(Reason.TIMEOUT, "nothing came", 1.0))
    with pytest.raises(InconclusiveError, match="no answer in time: nothing came"):
        bench.run()


def test_source_without_the_marker_is_unwatched():
    """A source in which the marker does not show within effect_within is listed as unwatched."""
    record = Bench(delay=6.0).run()
    assert [(one.channel, one.source) for one in record.unwatched] == [
        (Channel.LOG, "memory"),
        (Channel.STORE, "memory"),
    ]
    assert Bench(delay=4.0).run().unwatched == ()


def test_production_gets_no_marker():
    """On production the marker is not sent, and no source counts as watched."""
    bench = Bench(environment=Environment.PRODUCTION)
    asyncio.run(bench.runner.meet((), DELIVERIES))
    assert bench.target.requests == []
    assert {one.channel for one in bench.runner.unwatched} == {Channel.LOG, Channel.STORE}


def test_same_seed_same_events():
    """The made-up ids of a run follow from its seed alone."""
    first, again = Bench(), Bench()
    first.run()
    again.run()
    assert [request.ids for request in first.target.requests] == [request.ids for request in again.target.requests]
    assert len({request.ids[0] for request in first.target.requests}) == len(first.target.requests) == 3
