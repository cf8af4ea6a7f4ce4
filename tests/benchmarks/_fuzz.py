"""Fuzz cases per second: the harness's fuzzers beside plain schemathesis, on one reference service in turns."""

import time
from collections.abc import Callable
from statistics import median

import schemathesis
from rich.table import Table
from schemathesis.config import (
    CacheConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    StatefulPhaseConfig,
)
from schemathesis.engine import events, from_schema

from payproof.domain.observation import Exchange
from payproof.session import Session, open_session
from payproof.steps.fuzz_openapi import FuzzOpenapi
from payproof.steps.fuzz_routes import FuzzRoutes

__all__ = ["fuzz"]

_PLAIN = "schemathesis, its own client and check"

#: How many requests were made, in how many seconds.
Rate = tuple[int, float]


def fuzz(turns: int = 3, examples: int = 20) -> Table:
    """Return requests per second of each contender, median of some turns; generation, sending and judging included."""
    table = Table(
        title=f"fuzz cases per second on the reference service over HTTPS, one after another, {turns} turns",
        title_justify="left",
        box=None,
    )
    for column in ("contender", "requests in a turn", "per second", "of plain schemathesis"):
        table.add_column(column, justify="left" if column == "contender" else "right")
    with open_session(None, seed=1, operations=False) as session:
        contenders: dict[str, Callable[[int], Rate]] = {
            _PLAIN: lambda turn: _plain(session, examples, turn),
            "fuzz_openapi, valid": lambda turn: _step(session, FuzzOpenapi("valid", examples, 2000, 120.0), turn),
            "fuzz_routes, bodies": lambda turn: _step(session, FuzzRoutes("bodies", examples * 2, 2000, 120.0), turn),
        }
        seen = {name: [contend(turn) for turn in range(turns)] for name, contend in contenders.items()}
    rates = {name: median(number / seconds for number, seconds in took) for name, took in seen.items()}
    for name, took in seen.items():
        requests = median(number for number, _ in took)
        table.add_row(name, f"{requests:,.0f}", f"{rates[name]:,.0f}", f"{rates[name] / rates[_PLAIN]:.0%}")
    return table


def _step(session: Session, step: FuzzOpenapi | FuzzRoutes, turn: int) -> Rate:
    trial = session.trial(f"benchmark {step.name} {turn}")
    started = time.perf_counter()
    session.act(trial, step)
    seconds = time.perf_counter() - started
    return sum(isinstance(one, Exchange) for one in trial.observations), seconds


def _plain(session: Session, examples: int, turn: int) -> Rate:
    """Fuzz with schemathesis alone, as `st run` does: the same document, phases, modes and number of examples."""
    target, number = session.target, 0
    who = target.first_principal
    assert who is not None
    assert target.openapi is not None
    project = ProjectConfig(
        base_url=target.url,
        tls_verify=target.ca_file or True,
        headers={who.header: f"{who.scheme} {who.credential.reveal()}"},
        workers=1,
        continue_on_failure=True,
        generation=GenerationConfig(
            modes=[schemathesis.GenerationMode.POSITIVE], max_examples=examples, database="none"
        ),
        phases=PhasesConfig(
            examples=ExamplesPhaseConfig(enabled=True),
            coverage=CoveragePhaseConfig(enabled=False),
            fuzzing=FuzzingPhaseConfig(enabled=True),
            stateful=StatefulPhaseConfig(enabled=False),
        ),
    )
    project.checks.update(included_check_names=["not_a_server_error"])
    config = schemathesis.Config(seed=turn, cache=CacheConfig(enabled=False), projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(dict(target.openapi.document or {}), config=config)
    started = time.perf_counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            number += len(event.recorder.interactions)
    return number, time.perf_counter() - started
