"""What an owner accepts: waivers (YAML or TOML) with reason and expiry, and baselines of what is known."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from payproof.domain.accepted import AcceptedRisk
from payproof.domain.documents import read_json
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

__all__ = ["BaselineOf", "KnownThing", "read_baseline", "read_waivers", "write_baseline"]

BaselineOf = Literal["leaks", "problems"]

_VERSION = 1
_WRITER: Mapping[BaselineOf, str] = {"leaks": "payproof scan", "problems": "payproof run"}


_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class KnownThing:
    """What a baseline keeps of a leak or a problem: how many there are, and in words what and where."""

    fingerprint: str
    count: int
    what: str
    where: str


class _WaiverEntry(BaseModel):
    """One leak or problem, or those at a place, that its owner accepts until a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fingerprint: Annotated[str, Field(pattern="^[a-p]{20}$")] | None = None
    location: str | None = Field(None, min_length=1, description="as the report shows it; * stands for anything")
    kind: str | None = Field(None, description="only this kind: pan, cvc, schema, ... of leaks, or that of a problem")
    reason: str = Field(min_length=10)
    owner: str = Field("", description="who accepts it")
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

    version: Annotated[int, Field(ge=1)]
    of: Literal["leaks", "problems"]
    known: dict[str, _KnownEntry]


def read_waivers(path: Path) -> Sequence[AcceptedRisk]:
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
    return [AcceptedRisk(f"waiver {number}", **dict(one)) for number, one in enumerate(read.waivers, 1)]


def read_baseline(path: Path, of: BaselineOf) -> Mapping[str, int]:
    """Read how many leaks or problems of each fingerprint are known.

    Raises:
        ConfigurationError: the file is not right, of another sort, or of a newer version.
    """
    hint = f"{_WRITER[of]} --write-baseline writes one"
    try:
        given = read_json(read_text(path, "baseline"))
    except ValueError:
        raise ConfigurationError("it is no JSON", hint=hint, file=path) from None
    version = given.get("version") if isinstance(given, dict) else None
    if isinstance(version, int) and version > _VERSION:
        problem = f"a baseline of version {version}, which a newer Payproof has written"
        raise ConfigurationError(problem, hint=f"this one reads version {_VERSION}", file=path)
    read = _read(_Baseline, given, path, lambda _: None)
    if read.of != of:
        raise ConfigurationError(f"a baseline of {read.of}, not of {of}", hint=hint, file=path)
    return {fingerprint: one.count for fingerprint, one in read.known.items()}


def write_baseline(of: BaselineOf, found: Iterable[KnownThing]) -> str:
    """Return a baseline of leaks or problems as a file's text."""
    counts: Counter[str] = Counter()
    first: dict[str, KnownThing] = {}
    for one in found:
        counts[one.fingerprint] += one.count
        first.setdefault(one.fingerprint, one)
    known = {
        fingerprint: {"count": count, "what": first[fingerprint].what, "where": first[fingerprint].where}
        for fingerprint, count in sorted(counts.items())
    }
    return json.dumps({"version": _VERSION, "of": of, "known": known}, indent=1) + "\n"


def _read(model: type[_Model], given: Any, path: Path, locate: Locator) -> _Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refuse(error, str(path), locate, model) from None
