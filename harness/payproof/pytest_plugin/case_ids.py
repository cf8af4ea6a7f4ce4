"""Ids of scenarios and cases among pytest's arguments: what a report shows can be given to ``pytest --payproof``."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import iglob
from pathlib import Path

import pytest

from payproof.domain.scenario import Scenario
from payproof.errors import ConfigurationError
from payproof.registry import nearest
from payproof.session import Choice

__all__ = ["AskedCases", "shown_from_here", "take_ids"]


@dataclass(frozen=True, slots=True)
class AskedCases:
    """The cases that arguments name, each in the file whose fixture gives its target, or in any (an empty name).

    ``alone`` says that nothing else was named: no test of the user's is to be run beside them.
    """

    named: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()
    alone: bool = False

    def has(self, choice: Choice, nodeid: str) -> bool:
        """Whether a case is among them; where none is named, each is."""
        file, separator, name = nodeid.partition("::")
        file, name = (file, name) if separator else ("", nodeid)
        names = {choice[0].topic, choice[0].id, choice[1].id, name}
        return not self.named or any(one in names and place in {"", file} for place, one in self.named)


def take_ids(config: pytest.Config, scenarios: Sequence[Scenario]) -> AskedCases:
    """Take the ids of topics, scenarios and cases out of the arguments, and return what they name.

    What is the name of a file or folder stays one. Where no other argument is left, pytest goes through its usual
    folders, for the files of fixtures in them.

    Raises:
        ConfigurationError: a scenario or case of a topic that there is, which there is not.
    """
    reader = _ArgumentReader(config, scenarios)
    if not any(map(reader.read, config.args)):
        return AskedCases()
    left = [one for one in config.args if reader.read(one) is None]
    named = tuple(one for one in map(reader.read, config.args) if one is not None)
    config.args[:] = left or _usual_arguments(config)
    ids = dict.fromkeys(id_ for _, name in named for id_ in reader.ids_of(name))
    return AskedCases(named, tuple(ids), alone=not left)


class _ArgumentReader:
    def __init__(self, config: pytest.Config, scenarios: Sequence[Scenario]) -> None:
        self._started, self._root = config.invocation_params.dir, config.rootpath
        self._topics: dict[str, list[str]] = {}
        for scenario in scenarios:
            self._topics.setdefault(scenario.topic, []).append(scenario.id)
        self._known: Mapping[str, object] = {
            **{scenario.id: scenario for scenario in scenarios},
            **{case.id: case for scenario in scenarios for case in scenario.cases},
        }

    def read(self, argument: str) -> tuple[str, str] | None:
        """Return the file and the name of what an argument names, or None for an argument of pytest's own."""
        file, separator, name = argument.partition("::")
        if separator:
            path = Path(os.path.normpath(self._started / file))
            if not path.is_file() or not self.ids_of(name):
                return None
            return Path(os.path.relpath(path, self._root)).as_posix(), name
        if (self._started / argument).exists():
            return None
        # Where pytest was started in another folder than its root, its reports show ids as paths from there.
        from_root = os.path.relpath(self._started / argument, self._root)
        for one in (argument, Path(from_root).as_posix()):
            if self.ids_of(one):
                return "", one
        topic, slash, _ = argument.partition("/")
        if slash and topic in self._topics:
            known = [one for one in self._known if ("[" in argument) == ("[" in one)]
            raise ConfigurationError(
                f"there is no file and no scenario {argument!r}", hint=nearest(argument, dict.fromkeys(known))
            )
        return None

    def ids_of(self, name: str) -> Sequence[str]:
        """Return the ids of scenarios or cases that a name stands for."""
        if name in self._known:
            return (name,)
        # What is behind a case in brackets says which parameters its fixture has.
        case = next((one for one in self._known if "[" in one and name.startswith(f"{one}[")), None)
        return self._topics.get(name, ()) if case is None else (case,)


def shown_from_here(config: pytest.Config, nodeid: str) -> str:
    """Return an id as an argument in the folder where pytest was started."""
    file, separator, name = nodeid.partition("::")
    here = config.invocation_params.dir
    if not separator or here == config.rootpath:
        return nodeid
    return f"{Path(os.path.relpath(config.rootpath / file, here)).as_posix()}::{name}"


def _usual_arguments(config: pytest.Config) -> list[str]:
    """Return what pytest would take without arguments."""
    started = config.invocation_params.dir
    patterns = config.getini("testpaths") if started == config.rootpath else []
    found = [one for pattern in patterns for one in sorted(iglob(str(started / pattern), recursive=True))]  # noqa: PTH207 (as pytest)
    return found or [str(started)]
