"""The scenarios that a run chooses from: those that come with Payproof, and those of the user's own folders."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random

from payproof.adapters.data import data_folder
from payproof.canary import make_canaries
from payproof.domain.scenario import Scenario
from payproof.domain.target import SeverityChange
from payproof.errors import ConfigurationError, SeveralMistakesError
from payproof.language import (
    OwnScenarios,
    locate_case,
    read_own_scenarios,
    read_requirements,
    read_scenario_folders,
    read_scenarios,
)
from payproof.registry import nearest
from payproof.session.event_factory import event_factory
from payproof.steps.deliver import Deliver

__all__ = ["all_scenarios", "check_scenarios", "refuse_unknown_rules", "scenario_folders"]


def all_scenarios(own: Sequence[Path] = ()) -> tuple[Scenario, ...]:
    """Read every scenario that comes with Payproof, and then those of some folders.

    Raises:
        ConfigurationError: a scenario of these folders is not right.
    """
    scenarios = read_scenarios(data_folder("scenarios"))
    for folder in own:
        read = _read_own(folder, scenarios)
        if read.mistakes:
            raise SeveralMistakesError(read.mistakes)
        scenarios += read.scenarios
    return scenarios


def check_scenarios(folders: Sequence[Path]) -> OwnScenarios:
    """Return which scenarios of some folders are right, and all that is wrong with the others."""
    known = read_scenarios(data_folder("scenarios"))
    right: tuple[Scenario, ...] = ()
    mistakes: tuple[ConfigurationError, ...] = ()
    for folder in folders:
        read = _read_own(folder, known + right)
        right += read.scenarios
        mistakes += read.mistakes
    return OwnScenarios(right, mistakes)


def scenario_folders(named: Sequence[Path], target: Path | None) -> tuple[Path, ...]:
    """Return the folders of scenarios that a command or a target file names, each once.

    Raises:
        ConfigurationError: the target file cannot be read, or names no folders.
    """
    found = (*named, *(() if target is None else read_scenario_folders(target)))
    return tuple({folder.resolve(): folder for folder in found}.values())


def refuse_unknown_rules(
    changes: Sequence[SeverityChange], scenarios: Sequence[Scenario], file: Path | str | None
) -> None:
    """Raise ConfigurationError where a target file changes the severity of rules that there are not."""
    rules = [one.id for one in scenarios]
    for number, change in enumerate(changes):
        if not any(fnmatchcase(rule, change.rule) for rule in rules):
            told = f"contract.severities.{number}.rule: no rule is called {change.rule!r}"
            raise ConfigurationError(told, hint=nearest(change.rule, rules), file=file)


def _read_own(folder: Path, known: Sequence[Scenario]) -> OwnScenarios:
    shared = read_requirements(data_folder("scenarios") / "requirements.yaml").by_id
    read = read_own_scenarios(folder, known, shared)
    wrong = {scenario.id: [*_wrong_events(scenario)] for scenario in read.scenarios}
    right = tuple(scenario for scenario in read.scenarios if not wrong[scenario.id])
    unknown = {str(mistake): mistake for mistakes in wrong.values() for mistake in mistakes}
    return OwnScenarios(right, (*read.mistakes, *unknown.values()))


def _wrong_events(scenario: Scenario) -> Iterator[ConfigurationError]:
    """Yield where an event cannot be made that a scenario delivers: it has no such type, or no such value to set."""
    file = Path(scenario.place)
    for case in scenario.cases:
        for step in (*(scenario.control.steps if scenario.control else ()), *case.phase.steps):
            if isinstance(step, Deliver) and (problem := _unmakable(step)):
                yield ConfigurationError(problem, file=file, line=locate_case(file, case.name))


def _unmakable(step: Deliver) -> str:
    if not step.event:
        return ""  # the target's own control event, which only a calibration can choose
    factory, problem = event_factory(0), ""
    for version in reversed(factory.versions()):  # what the newest lacks, an older one may have
        canaries = make_canaries(Random(0))
        try:
            factory.make(step.event, api_version=version, now=0, canaries=canaries, key="", ids=step.ids, set=step.set)
        except ConfigurationError as error:
            problem = problem or str(error)
        else:
            return ""
    return problem
