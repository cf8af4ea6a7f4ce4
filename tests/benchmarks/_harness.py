"""The harness's own deliveries: its client with one request made beforehand, and cases as a session runs them."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger, make_canaries
from payproof.domain.context import Context
from payproof.domain.finding import Severity
from payproof.domain.observation import Answer, Exchange, Observation
from payproof.domain.request import Request
from payproof.domain.scenario import Case, Phase, Scenario
from payproof.domain.sensitive import Secret
from payproof.domain.step import Step
from payproof.domain.target import Environment, Target, Webhook
from payproof.session import Session, event_factory
from payproof.steps.deliver import Deliver
from tests.benchmarks._load import Rate, kept_up

__all__ = ["client_alone", "made_and_signed", "prebuilt"]

_SECRET = Secret("webhook secret", "whsec_" + "b3ncHm4Rk" * 3)
_SEED = 1
_SUCCESS = 204


@dataclass(frozen=True, slots=True)
class _Burst(Step):
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


def prebuilt(url: str) -> Request:
    """Return one signed delivery, as the harness makes it, for the peers."""
    with _session(url) as session:
        trial = session.trial("benchmark")
        session.act(trial, Deliver())
        return trial.context.sent[-1]


async def client_alone(url: str, request: Request, connections: int, seconds: float) -> Rate:
    """Return what the harness's client does with one request, concealment of a case's canaries included."""
    ledger = Ledger()
    ledger.add("secret", _SECRET.label, _SECRET.reveal().encode(), lasting=True)
    for kind, value in make_canaries(Random(_SEED)).items():
        ledger.add(kind, f"canary {kind}", value.encode())
    sender = HttpSender(_target(url), ledger)

    async def one() -> None:
        _expect_success(await sender.send(request, 0))

    try:
        return await kept_up(one, connections, time.perf_counter() + seconds)
    finally:
        await sender.close()


def made_and_signed(url: str, connections: int, seconds: float) -> Rate:
    """Return what cases do, as a session runs and judges them: events from templates, each signed anew.

    On one connection a case is a control and a step of one delivery each, as in most scenarios; on more it spends its
    whole budget of requests at once.
    """
    with _session(url) as session:
        burst = _Burst(1 if connections == 1 else session.target.budget.case_requests, connections)
        control = Phase((Deliver(),), ()) if connections == 1 else None
        started, done = time.perf_counter(), 0
        while time.perf_counter() < started + seconds:
            case = Case(f"benchmark/burst[{done}]", str(done), Phase((burst,), ()))
            scenario = Scenario("benchmark/burst", "burst", Severity.LOW, (), control, (case,), {})
            finished = session.judge_case(scenario, case)
            if finished.verdict.kind == "errored":
                raise RuntimeError(f"the harness's case was stopped: {finished.verdict}")
            for exchange in (*finished.record.control, *finished.record.observations):
                _expect_success(exchange)
                done += 1
        return done / (time.perf_counter() - started)


def _session(url: str) -> closing[Session]:
    return closing(Session(_target(url), seed=_SEED, ledger=Ledger(), fuzzing=False))


def _expect_success(seen: Observation) -> None:
    if not isinstance(seen, Exchange) or not isinstance(seen.answer, Answer) or seen.answer.status != _SUCCESS:
        raise RuntimeError(f"the harness saw {seen}")


def _target(url: str) -> Target:
    hook = Webhook(path="/webhooks/stripe", secret=_SECRET, api_version=event_factory(_SEED).versions()[-1])
    return Target(name="nginx", url=url, environment=Environment.LOCAL, webhook=hook)
