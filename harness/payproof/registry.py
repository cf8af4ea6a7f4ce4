"""Finds the parts of each family: the files of its folder, then the entry points of other distributions.

A part registers with its family's decorator when its file is imported. A third party adds one by an entry point in the
group ``payproof.steps``, ``payproof.checks``, ``payproof.detectors`` or ``payproof.sources`` that names the module.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

from payproof.domain.check import Check
from payproof.domain.detector import Detector
from payproof.domain.source import Log, Store
from payproof.domain.step import Step
from payproof.domain.tables import Tables
from payproof.errors import ConfigurationError
from payproof.scan.canaries import Canaries
from payproof.scan.own_values import OwnValues

__all__ = [
    "check",
    "checks",
    "detector",
    "detectors",
    "detectors_at_rest",
    "log_source",
    "log_sources",
    "nearest",
    "step",
    "steps",
    "store_source",
    "store_sources",
    "table_source",
    "table_sources",
]

_Step = TypeVar("_Step", bound=type[Step])
_Check = TypeVar("_Check", bound=type[Check])
_Detector = TypeVar("_Detector", bound=type[Detector])
_Opener = TypeVar("_Opener", bound=Callable[..., Any])

_MOST_LISTED = 25  # more names than this are no hint

_steps: dict[str, type[Step]] = {}
_checks: dict[str, type[Check]] = {}
_detectors: dict[str, Detector] = {}
_stores: dict[str, Callable[..., Store]] = {}
_tables: dict[str, Callable[..., Tables]] = {}
_logs: dict[str, Callable[..., Log]] = {}


def _require_base(part: type, base: type) -> None:
    """Refuse a part that does not derive from its family's base class, whose defaults the engine relies on."""
    if not issubclass(part, base):
        raise TypeError(f"{part.__qualname__} does not derive from {base.__module__}.{base.__qualname__}")


def _require_fields(part: type) -> None:
    """Refuse what is no dataclass; make pydantic refuse unknown and mistyped parameters when a scenario is read."""
    if not is_dataclass(part):
        raise TypeError(f"{part.__qualname__} is not a dataclass: its fields are its parameters")
    part.__pydantic_config__ = {"extra": "forbid", "strict": True}  # type: ignore[attr-defined]


def _add(family: dict[str, Any], name: str, part: object) -> None:
    if name in family:
        raise ConfigurationError(f"two parts of one family are named {name!r}: {family[name]!r} and {part!r}")
    family[name] = part


def step(part: _Step) -> _Step:
    """Register a step.

    Raises:
        TypeError: it is no dataclass, or does not derive from ``Step``.
    """
    _require_base(part, Step)
    _require_fields(part)
    _add(_steps, part.name, part)
    return part


def check(part: _Check) -> _Check:
    """Register a check.

    Raises:
        TypeError: it is no dataclass, or does not derive from ``Check``.
    """
    _require_base(part, Check)
    _require_fields(part)
    _add(_checks, part.name, part)
    return part


def detector(part: _Detector) -> _Detector:
    """Register a detector after trying it on its own samples.

    Raises:
        TypeError: it does not derive from ``Detector``.
        ConfigurationError: a family of samples is missing, or a sample says that the detector is wrong.
    """
    _require_base(part, Detector)
    made = part()
    for samples, expected in ((made.positive, True), (made.negative, False)):
        if not samples:
            raise ConfigurationError(f"detector {made.name!r} has no {'positive' if expected else 'negative'} samples")
        for index, sample in enumerate(samples):
            if any(True for _ in made.find(sample)) is not expected:
                wrong = "finds nothing in its positive" if expected else "finds something in its negative"
                raise ConfigurationError(f"detector {made.name!r} {wrong} sample {index}")
    _add(_detectors, made.name, made)
    return part


def store_source(scheme: str) -> Callable[[_Opener], _Opener]:
    """Register what opens a store by its URL's scheme."""

    def register(opener: _Opener) -> _Opener:
        _add(_stores, scheme, opener)
        return opener

    return register


def table_source(scheme: str) -> Callable[[_Opener], _Opener]:
    """Register what opens a database to read it through, by its URL's scheme."""

    def register(opener: _Opener) -> _Opener:
        _add(_tables, scheme, opener)
        return opener

    return register


def log_source(scheme: str) -> Callable[[_Opener], _Opener]:
    """Register what opens a log by its URL's scheme."""

    def register(opener: _Opener) -> _Opener:
        _add(_logs, scheme, opener)
        return opener

    return register


@cache
def _discover(family: str) -> None:
    package = importlib.import_module(f"payproof.{family}")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    for entry in entry_points(group=f"payproof.{family}"):
        entry.load()


def steps() -> Mapping[str, type[Step]]:
    """Return every step by name."""
    _discover("steps")
    return _steps


def checks() -> Mapping[str, type[Check]]:
    """Return every check by name."""
    _discover("checks")
    return _checks


def detectors() -> Mapping[str, Detector]:
    """Return every detector by name."""
    _discover("detectors")
    return _detectors


def detectors_at_rest(canaries: Canaries | None = None) -> tuple[Detector, ...]:
    """Return the detectors for stores and logs: all but those of what answers show when something goes wrong.

    ``canaries`` are the values that a run made up, or the target's own secrets; without any, none are looked for.
    """
    kept = (one for one in detectors().values() if not one.by_error)
    bound = (one.for_values(canaries) if isinstance(one, OwnValues) else one for one in kept)
    return tuple(one for one in bound if one is not None)


def store_sources() -> Mapping[str, Callable[..., Store]]:
    """Return what opens a store, by URL scheme."""
    _discover("sources")
    return _stores


def table_sources() -> Mapping[str, Callable[..., Tables]]:
    """Return what opens a database to read it through, by URL scheme."""
    _discover("sources")
    return _tables


def log_sources() -> Mapping[str, Callable[..., Log]]:
    """Return what opens a log, by URL scheme."""
    _discover("sources")
    return _logs


def nearest(word: str, known: Mapping[str, object] | list[str]) -> str:
    """Return the hint for a word that is not known: the nearest right one, or all of them."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(sorted(known)) if len(known) <= _MOST_LISTED else f"{len(known)} are known"
