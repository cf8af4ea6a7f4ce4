"""Files beside `payproof scan`: waivers (YAML or TOML) with reason and expiry, and baselines of what is known."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from payproof.domain.documents import read_json
from payproof.domain.leak import Leak
from payproof.errors import ConfigurationError
from payproof.language.problems import (
    Locator,
    locate_in_toml,
    locate_in_yaml,
    parse_toml,
    parse_yaml,
    read_text,
    refuse,
)

__all__ = ["LeakWaiver", "read_baseline", "read_waivers", "written_baseline"]


_Model = TypeVar("_Model", bound=BaseModel)


class _WaiverEntry(BaseModel):
    """One leak, or those at a place, that its owner accepts until a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: Annotated[str, Field(pattern="^[a-p]{20}$")] | None = None
    location: str | None = Field(None, min_length=1, description="as the report shows it; * stands for anything")
    kind: str | None = Field(None, description="only this kind: pan, cvc, schema, ...")
    reason: str = Field(min_length=10)
    expires: date

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if (self.fingerprint is None) == (self.location is None):
            raise ValueError("either fingerprint or location")
        return self


class _WaiverFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    waivers: tuple[_WaiverEntry, ...]


class _KnownEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = Field(ge=1)
    what: str
    where: str


class _Baseline(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=1, le=1)]
    known: dict[str, _KnownEntry]


@dataclass(frozen=True, slots=True)
class LeakWaiver:
    """A waiver; ``name`` is how the file's owner finds it."""

    name: str
    fingerprint: str | None
    location: str | None
    kind: str | None
    reason: str
    expires: date

    def fits(self, leak: Leak) -> bool:
        """Whether it is about a leak."""
        if self.kind is not None and self.kind != leak.kind:
            return False
        if self.fingerprint is not None:
            return self.fingerprint == leak.fingerprint
        return fnmatchcase(str(leak.place), self.location or "")


def read_waivers(path: Path) -> Sequence[LeakWaiver]:
    """Read waivers from ``FILE.toml``, ``FILE.yaml`` or ``FILE.yml``.

    Raises:
        ConfigurationError: the file is not right.
    """
    text = read_text(path, "waiver file")
    if path.suffix == ".toml":
        given, locate = parse_toml(text, path), locate_in_toml(text)
    else:
        given = parse_yaml(text, str(path))
        locate = locate_in_yaml(yaml.compose(text, Loader=yaml.CSafeLoader))
    read = _read(_WaiverFile, given, path, locate)
    return [LeakWaiver(f"waiver {number}", **dict(one)) for number, one in enumerate(read.waivers, 1)]


def read_baseline(path: Path) -> Mapping[str, int]:
    """Read how many leaks of each fingerprint are known.

    Raises:
        ConfigurationError: the file is not right.
    """
    try:
        given = read_json(read_text(path, "baseline"))
    except ValueError:
        raise ConfigurationError("it is no JSON", hint="--write-baseline writes one", file=path) from None
    return {fingerprint: one.count for fingerprint, one in _read(_Baseline, given, path, lambda _: None).known.items()}


def written_baseline(leaks: Sequence[Leak]) -> str:
    """Return a baseline of leaks as a file's text."""
    counts: Counter[str] = Counter()
    first: dict[str, Leak] = {}
    for leak in leaks:
        counts[leak.fingerprint] += leak.count
        first.setdefault(leak.fingerprint, leak)
    known = {
        fingerprint: {"count": count, "what": first[fingerprint].what, "where": str(first[fingerprint].place)}
        for fingerprint, count in sorted(counts.items())
    }
    return json.dumps({"version": 1, "known": known}, indent=1) + "\n"


def _read(model: type[_Model], given: Any, path: Path, locate: Locator) -> _Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refuse(error, str(path), locate, model) from None
