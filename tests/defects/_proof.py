"""Proves that scenarios can fail: each one is run on the defects that it names."""

import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from payproof.domain.events import CaseFinished
from payproof.domain.scenario import Scenario
from payproof.domain.verdict import Errored, Failed
from payproof.errors import Reason
from payproof.session import EmbeddedStore, Session, all_scenarios, asks_for_fuzzing, asks_for_operations, open_session
from payproof.steps.take_down import TakeDown
from tests.forking import interpreter

__all__ = ["by_store", "defects", "load", "naming", "on_defect", "tripped"]

_FOLDER = Path(__file__).parent


def defects() -> list[str]:
    """Return the names of all planted defects: each file of this folder that is not part of the machinery."""
    return sorted(f.stem for f in _FOLDER.glob("*.py") if not f.stem.startswith(("_", "test_")))


def load(name: str) -> ModuleType:
    """Return a defect's module; its docstring says what is wrong, `plant` makes it so."""
    return importlib.import_module(f"tests.defects.{name}")


def naming(defect: str) -> list[Scenario]:
    """Return the scenarios that promise to catch a defect."""
    return [scenario for scenario in _scenarios() if defect in scenario.defects]


@cache  # reading them takes half a second, and each defect asks twice
def _scenarios() -> list[Scenario]:
    return list(all_scenarios())


@contextmanager
def on_defect(name: str, store: EmbeddedStore = "sqlite") -> Iterator[Session]:
    """Open a session on the reference service with one defect, whose lines count for nobody's coverage."""
    choices = [(scenario, case) for scenario in naming(name) for case in scenario.cases]
    asked = {"operations": asks_for_operations(choices), "fuzzing": asks_for_fuzzing(choices)}
    service = (interpreter(), "-m", "tests.defects", name)
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    with (
        patch.dict(os.environ, unmeasured, clear=True),
        open_session(None, seed=1, store=store, reference=service, **asked) as session,
    ):
        yield session


def by_store(scenarios: Iterable[Scenario]) -> dict[EmbeddedStore, list[Scenario]]:
    """Return scenarios by the store on which they are judged."""
    found: dict[EmbeddedStore, list[Scenario]] = {}
    for scenario in scenarios:
        found.setdefault(_store_of(scenario), []).append(scenario)
    return found


def _store_of(scenario: Scenario) -> EmbeddedStore:
    """SQLite has no connections or roles that could fail."""
    faults = {step.fault for case in scenario.cases for step in case.phase.steps if isinstance(step, TakeDown)}
    return "postgresql" if faults - {"", "locked"} else "sqlite"


def tripped(session: Session, scenario: Scenario, check: str | None) -> tuple[bool, Sequence[CaseFinished]]:
    """Run a scenario's cases until one fails by the check, or by any with None; return whether, and what was seen.

    A scenario whose control fails gives up at once: each further case would wait for the same effect in vain.
    """
    seen: list[CaseFinished] = []
    for case in scenario.cases:
        finished = session.judge_case(scenario, case)
        seen.append(finished)
        match finished.verdict:
            case Failed(findings=findings) if check is None or check in {finding.check for finding in findings}:
                return True, seen
            case Errored(reason=Reason.CONTROL_FAILED):
                return False, seen
            case _:
                pass
    return False, seen
