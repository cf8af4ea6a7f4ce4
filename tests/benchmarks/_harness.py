"""The harness's own deliveries: its client with one request made beforehand, and cases as the runner runs them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.adapters.clock import SystemClock
from harness.adapters.commands import LocalCommands
from harness.adapters.http import HttpSender
from harness.adapters.outages import LocalOutages
from harness.canary import Ledger
from harness.domain.contracts import Context, Request
from harness.domain.finding import Severity
from harness.domain.observation import Answer, Exchange, Observation
from harness.domain.scenario import Case, Phase, Scenario
from harness.domain.sensitive import Secret
from harness.domain.target import Environment, Target, Webhook
from harness.engine.context import CaseContext
from harness.engine.holdings import Holdings
from harness.engine.runner import Runner
from harness.registry import table_sources
from harness.session import event_factory
from harness.session.places import LocalFiles
from harness.steps.deliver import Deliver
from tests.benchmarks._load import Rate, kept_up

__all__ = ["client_alone", "made_and_signed", "prebuilt"]

_SECRET = Secret("webhook secret", "whsec_" + "b3ncHm4Rk" * 3)
_SEED = 1
_SUCCESS = 204


@dataclass(frozen=True, slots=True)
class _Burst:
    """A case's deliveries over so many connections: one by one, or as a race step would."""

    name: ClassVar[str] = "burst"
    deliveries: int
    connections: int

    async def run(self, context: Context) -> Sequence[Exchange]:
        seen: list[Exchange] = []

        async def worker(number: int) -> None:
            for _ in range(number, self.deliveries, self.connections):
                seen.extend(await Deliver().run(context))

        async with asyncio.TaskGroup() as group:
            for number in range(self.connections):
                group.create_task(worker(number))
        return seen


async def prebuilt(url: str) -> Request:
    """Return one signed delivery, as the harness makes it, for the peers."""
    target, ledger = _target(url), _ledger()
    sender = HttpSender(target, ledger)
    try:
        return await _first(target, ledger, sender)
    finally:
        await sender.close()


async def client_alone(url: str, connections: int, seconds: float) -> Rate:
    """Return what the harness's client does with one request, concealment of the case's canaries included."""
    target, ledger = _target(url), _ledger()
    sender = HttpSender(target, ledger)

    async def one() -> None:
        _expect_success(await sender.send(request, 0))

    try:
        request = await _first(target, ledger, sender)
        return await kept_up(one, connections, time.perf_counter() + seconds)
    finally:
        await sender.close()


async def made_and_signed(url: str, connections: int, seconds: float) -> Rate:
    """Return what cases do, as the runner runs them: events from templates, each signed anew.

    On one connection a case is a control and a step of one delivery each, as in most scenarios; on more it spends its
    whole budget of requests at once.
    """
    target, ledger = _target(url), _ledger()
    sender = HttpSender(target, ledger)
    runner = Runner(
        target,
        sender=sender,
        events=event_factory(_SEED),
        stores=(),
        logs=(),
        ledger=ledger,
        clock=SystemClock(),
        holdings=Holdings(target, open_tables=table_sources()["sqlite"], files=LocalFiles(), ledger=ledger),
        commands=LocalCommands(),
        outages=LocalOutages(None),
        seed=_SEED,
    )
    burst = _Burst(1 if connections == 1 else target.budget.case_requests, connections)
    control = Phase((Deliver(),), ()) if connections == 1 else None
    started, done = time.perf_counter(), 0
    try:
        while time.perf_counter() < started + seconds:
            case = Case(f"benchmark/burst[{done}]", str(done), Phase((burst,), ()))
            scenario = Scenario("benchmark/burst", "burst", Severity.LOW, (), control, (case,), {})
            record = await runner.run(scenario, case)
            if record.stopped is not None:
                raise RuntimeError(f"the harness's case was stopped: {record.stopped}")
            for exchange in (*record.control, *record.observations):
                _expect_success(exchange)
                done += 1
        return done / (time.perf_counter() - started)
    finally:
        await sender.close()


async def _first(target: Target, ledger: Ledger, sender: HttpSender) -> Request:
    context = CaseContext(
        target,
        sender=sender,
        events=event_factory(_SEED),
        ledger=ledger,
        clock=SystemClock(),
        holdings=Holdings(target, open_tables=table_sources()["sqlite"], files=LocalFiles(), ledger=ledger),
        commands=LocalCommands(),
        outages=LocalOutages(None),
        key="benchmark",
        seed=_SEED,
    )
    await Deliver().run(context)
    return context.sent[-1]


def _expect_success(seen: Observation) -> None:
    if not isinstance(seen, Exchange) or not isinstance(seen.answer, Answer) or seen.answer.status != _SUCCESS:
        raise RuntimeError(f"the harness saw {seen}")


def _target(url: str) -> Target:
    hook = Webhook(path="/webhooks/stripe", secret=_SECRET, api_version=event_factory(_SEED).versions()[-1])
    return Target(name="nginx", url=url, environment=Environment.LOCAL, webhook=hook)


def _ledger() -> Ledger:
    ledger = Ledger()
    ledger.add("secret", _SECRET.label, _SECRET.reveal().encode(), lasting=True)
    return ledger
