"""A folder of a user's own scenarios: they run beside those of Payproof, and keep its laws."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from payproof.domain.scenario import Requirement, Scenario
from payproof.errors import ConfigurationError
from payproof.language.requirements_file import SharedRequirements, read_requirements
from payproof.language.scenario_file import try_scenario

__all__ = ["OwnScenarios", "read_own_scenarios"]

_REQUIREMENTS = "requirements.yaml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class OwnScenarios:
    """The scenarios of a folder that are right, in order of their ids, and what is wrong with the others."""

    scenarios: tuple[Scenario, ...]
    mistakes: tuple[ConfigurationError, ...]


def read_own_scenarios(folder: Path, known: Iterable[Scenario], shared: Mapping[str, Requirement]) -> OwnScenarios:
    """Read each ``<topic>/<name>.yaml`` of a folder, and each ``<name>.yaml`` in it, whose topic is the folder's name.

    They refer to the ``shared`` requirements and to those in the folder's ``requirements.yaml``, if there is one. Their
    ids must differ from those of the ``known`` scenarios.
    """
    return _FolderReader(folder, known, shared).read()


class _FolderReader:
    """One reading of a folder."""

    def __init__(self, folder: Path, known: Iterable[Scenario], shared: Mapping[str, Requirement]) -> None:
        self._folder, self._shared = folder, dict(shared)
        self._taken = {scenario.id: scenario.place for scenario in known}
        self._mistakes: list[ConfigurationError] = []

    def read(self) -> OwnScenarios:
        """Return what is right and what is not."""
        try:
            files = [*self._files()]
        except OSError as error:
            # A folder that cannot be listed could hold anything.
            why = error.strerror or "unreadable"
            problem = f"the folder of scenarios cannot be read: {why.lower()}"
            return OwnScenarios((), (ConfigurationError(problem, file=self._folder),))
        own = self._own_requirements()
        scenarios: list[Scenario] = []
        for id_, file in files:
            read = try_scenario(file, id_, self._shared, proven=False)
            if not isinstance(read, Scenario):
                self._mistakes += read
            elif id_ in self._taken:
                problem = f"there is a scenario {id_!r} already, in {self._taken[id_]}"
                self._wrong(file, problem, "give the file another name, or put it into another folder")
            else:
                self._taken[id_] = str(file)
                scenarios.append(read)
        if not files and not self._mistakes:
            self._wrong(
                self._folder, "no scenario is in it", "one is a file NAME.yaml, there or in a folder of its topic"
            )
        if own is not None and not self._mistakes:
            try:
                own.require_all_used(scenarios)
            except ConfigurationError as error:
                self._mistakes.append(error)
        return OwnScenarios(tuple(sorted(scenarios, key=lambda one: one.id)), tuple(self._mistakes))

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Yield each scenario's file with its id."""
        topic = self._folder.resolve().name
        for place in _listed(self._folder):
            if not place.is_dir():
                yield from self._identified([place], topic, beside=_REQUIREMENTS)
                continue
            inside = _listed(place)
            yield from self._identified(inside, place.name)
            for deeper in inside:
                if deeper.is_dir() and any(one.suffix in {".yaml", ".yml"} for one in deeper.rglob("*")):
                    self._wrong(deeper, "scenarios stand no deeper than TOPIC/NAME.yaml", "move what is in it up")

    def _identified(self, files: Sequence[Path], topic: str, beside: str = "") -> Iterator[tuple[str, Path]]:
        for file in files:
            if file.is_dir() or file.name == beside or file.suffix not in {".yaml", ".yml"}:
                continue
            if file.suffix == ".yml":
                self._wrong(file, "a scenario's file ends in .yaml", f"rename it {file.stem}.yaml")
            elif not _NAME.fullmatch(file.stem) or not _NAME.fullmatch(topic):
                hint = "letters, digits, '_', '-' and '.' make the names of folders and files"
                self._wrong(file, f"{topic}/{file.stem} cannot be a scenario's id", hint)
            else:
                yield f"{topic}/{file.stem}", file

    def _own_requirements(self) -> SharedRequirements | None:
        file = self._folder / _REQUIREMENTS
        if not file.exists():
            return None
        try:
            own = read_requirements(file)
        except ConfigurationError as error:
            self._mistakes += error.mistakes
            return None
        for id_ in own.by_id:
            if id_ in self._shared:
                line = own.locate([id_])
                problem = f"the requirement {id_!r} is one of Payproof's"
                hint = "scenarios may refer to it as it is; remove it here, or give yours another id"
                self._mistakes.append(ConfigurationError(problem, hint=hint, file=file, line=line))
        self._shared = {**own.by_id, **self._shared}
        return own

    def _wrong(self, file: Path, problem: str, hint: str) -> None:
        self._mistakes.append(ConfigurationError(problem, hint=hint, file=file))


def _listed(folder: Path) -> list[Path]:
    return sorted(place for place in folder.iterdir() if not place.name.startswith("."))
