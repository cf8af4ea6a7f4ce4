"""The whole matrix: every scenario on every defect, also those that it does not name."""

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console
from rich.progress import track

from payproof.domain.scenario import Scenario
from payproof.domain.verdict import Errored
from payproof.session import EmbeddedStore, all_scenarios
from tests.defects._proof import by_store, defects, load, on_defect, tripped

__all__ = ["print_matrix"]

NAMED, OTHER, ERRORED, HELD, MISSED = "X", "x", "e", ".", "!"


def row(defect: str) -> dict[str, str]:
    """Return what each scenario says about one defect."""
    marks: dict[str, str] = {}
    for store, chosen in by_store(all_scenarios()).items():
        marks |= _mark(defect, store, chosen)
    return marks


def _mark(defect: str, store: EmbeddedStore, scenarios: Iterable[Scenario]) -> dict[str, str]:
    marks = {}
    with on_defect(defect, store) as session:
        for scenario in scenarios:
            named = scenario.defects.get(defect)
            caught, seen = tripped(session, scenario, named)
            if caught:
                marks[scenario.id] = NAMED if named else OTHER
            elif named:
                marks[scenario.id] = MISSED
            else:
                marks[scenario.id] = ERRORED if any(isinstance(c.verdict, Errored) for c in seen) else HELD
    return marks


def print_matrix() -> int:
    """Print the matrix; 1 when a scenario misses a defect that it names."""
    console = Console(width=max(160, Console().width))
    names, scenarios = defects(), all_scenarios()
    # The rows wait for their services more than they compute.
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        rows = dict(zip(names, track(pool.map(row, names), total=len(names), console=console), strict=True))
    for index, scenario in enumerate(scenarios, 1):
        console.print(f"{index:>3}  {scenario.id}", highlight=False)
    width = max(map(len, names))
    console.print(" " * width + "".join(f"{index:>3}" for index in range(1, len(scenarios) + 1)), highlight=False)
    for name in names:
        console.print(f"{name:<{width}}" + "".join(f"{rows[name][s.id]:>3}" for s in scenarios), highlight=False)
    marks = [mark for marks in rows.values() for mark in marks.values()]
    console.print(
        f"\n{len(scenarios)} scenarios, {sum(len(s.cases) for s in scenarios)} cases, {len(names)} defects; "
        f"{marks.count(NAMED)} named and caught (X), {marks.count(OTHER)} caught beside (x), "
        f"{marks.count(ERRORED)} not judged, as the control failed (e), {marks.count(HELD)} held (.), "
        f"{marks.count(MISSED)} named and missed (!)",
        highlight=False,
    )
    for name in names:
        console.print(f"  {name}: {(load(name).__doc__ or '').splitlines()[0]}", highlight=False)
    return 1 if MISSED in marks else 0
