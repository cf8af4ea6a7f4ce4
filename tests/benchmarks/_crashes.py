"""How surely races are caught in a hundred runs, and how many kills the reference service survives."""

import time
from collections.abc import Sequence
from dataclasses import replace

from rich.table import Table

from payproof.domain.events import CaseFinished
from payproof.domain.observation import InstanceKilled
from payproof.domain.scenario import Case, Scenario
from payproof.domain.verdict import Failed, Passed
from payproof.session import EmbeddedStore, Session, all_scenarios, open_session
from payproof.steps.kill import Kill
from tests.defects._proof import on_defect

__all__ = ["crashes", "kill_often", "races"]

STORES: Sequence[EmbeddedStore] = ("sqlite", "postgresql")
_RACE, _KILLED = "webhook_delivery/concurrent_copies", "webhook_delivery/killed_while_handling"
_DEFECT = "looked_up_before_stored"
_AT_ONCE = 50  # kills in one case, which is judged as one


def races(runs: int = 100, rounds: int = 20) -> tuple[list[Table], list[str]]:
    """Return how often a race of a few milliseconds is caught, and how many rounds of 50 copies the service survives.

    The lines tell what was caught too seldom, and what did not hold.
    """
    table = _make_table("races: 20 copies on a look-up 3 ms before the insert; 50 copies on the reference service")
    failed: list[str] = []
    for store in STORES:
        started = time.perf_counter()
        with on_defect(_DEFECT, store) as session:
            caught = sum(_fails(session, _find(_RACE, "twenty"), run) for run in range(runs))
        table.add_row(store, "defect caught", f"{caught} of {runs}", f"{(time.perf_counter() - started) / runs:.2f}")
        if caught < 0.99 * runs:
            failed.append(f"{store}: the race was caught in {caught} of {runs} runs only")
        started = time.perf_counter()
        with open_session(None, seed=1, store=store, operations=False) as session:
            held = sum(not _fails(session, _find(_RACE, "fifty"), run) for run in range(rounds))
        table.add_row(store, "50 copies held", f"{held} of {rounds}", f"{(time.perf_counter() - started) / rounds:.2f}")
        if held < rounds:
            failed.append(f"{store}: {rounds - held} of {rounds} races of 50 copies failed on the reference service")
    return [table], failed


def crashes(kills: int = 1000) -> tuple[list[Table], list[str]]:
    """Return how many kills the service survives without losing an event or applying one twice."""
    table = _make_table("kills at random moments while 8 events are under way, then delivered again")
    failed: list[str] = []
    for store in STORES:
        started = time.perf_counter()
        survived, told = kill_often(store, kills)
        table.add_row(
            store, "kills survived", f"{survived} of {kills}", f"{(time.perf_counter() - started) / kills:.2f}"
        )
        failed += told
    return [table], failed


def kill_often(store: EmbeddedStore, kills: int, first: int = 0) -> tuple[int, list[str]]:
    """Kill an instance of the reference service so often; return how many kills were survived, and what was not.

    ``first`` is the number of the first kill: others have other moments.
    """
    survived, failed = 0, []
    with open_session(None, seed=1, store=store, operations=False) as session:
        scenario, case = _find(_KILLED, "many_under_way")
        for turn in range(first, first + kills, _AT_ONCE):
            some = min(_AT_ONCE, first + kills - turn)
            steps = tuple(replace(one, kills=some) if isinstance(one, Kill) else one for one in case.phase.steps)
            phase = replace(case.phase, steps=steps)
            finished = session.judge_case(scenario, replace(case, id=f"{case.id} {turn}", phase=phase))
            if isinstance(finished.verdict, Passed):
                survived += sum(isinstance(one, InstanceKilled) for one in finished.record.observations)
            else:
                failed.append(f"{store}, kills {turn} to {turn + some}: {finished.verdict}")
    return survived, failed


def _make_table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for column in ("database", "what", "times", "s each"):
        table.add_column(column, justify="left" if column in {"database", "what"} else "right")
    return table


def _find(scenario_id: str, name: str) -> tuple[Scenario, Case]:
    scenario = next(one for one in all_scenarios() if one.id == scenario_id)
    return scenario, next(one for one in scenario.cases if one.id == f"{scenario_id}[{name}]")


def _fails(session: Session, chosen: tuple[Scenario, Case], run: int) -> bool:
    """Whether a case fails in one of many runs, each about events of its own."""
    scenario, case = chosen
    finished: CaseFinished = session.judge_case(scenario, replace(case, id=f"{case.id} {run}"))
    return isinstance(finished.verdict, Failed)
