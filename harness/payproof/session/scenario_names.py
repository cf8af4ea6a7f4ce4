"""The names of scenarios and cases by their files alone: for what has to be quick, such as a shell's completion."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.resources.abc import Traversable
from pathlib import Path

from payproof.adapters.data import data_folder
from payproof.errors import ConfigurationError
from payproof.language import read_case_names

__all__ = ["name_cases", "name_scenarios"]

_SUFFIX = ".yaml"


def name_scenarios(own: Sequence[Path] = ()) -> list[str]:
    """Return the ids of the scenarios that come with Payproof and of those in some folders; none is read."""
    return sorted({id_ for id_, _ in _files(own)})


def name_cases(id_: str, own: Sequence[Path] = ()) -> list[str]:
    """Return the ids of a scenario's cases; of one that there is not, or that cannot be read, none."""
    found: list[str] = []
    for one, file in _files(own):
        if one == id_:
            with suppress(ConfigurationError):
                found += (f"{id_}[{case}]" for case in read_case_names(file))
    return found


def _files(own: Sequence[Path]) -> Iterator[tuple[str, Traversable]]:
    for folder in (data_folder("scenarios"), *own):
        if not folder.is_dir():
            continue
        for place in folder.iterdir():
            if place.is_dir():
                yield from ((f"{place.name}/{file.name[: -len(_SUFFIX)]}", file) for file in _scenarios(place))
        if isinstance(folder, Path) and folder in own:
            topic = folder.resolve().name
            yield from ((f"{topic}/{file.name[: -len(_SUFFIX)]}", file) for file in _scenarios(folder))


def _scenarios(folder: Traversable) -> Iterator[Traversable]:
    return (file for file in folder.iterdir() if file.name.endswith(_SUFFIX) and file.name != "requirements.yaml")
