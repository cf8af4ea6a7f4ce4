"""The problems of a run as JSON lines for programs: a header, a line for each problem, a footer; and back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from payproof.domain.channel import Channel
from payproof.domain.documents import read_json
from payproof.domain.finding import Severity
from payproof.domain.problem import ProblemStatus
from payproof.errors import ConfigurationError

__all__ = [
    "PROBLEM_LINES_VERSION",
    "FooterLine",
    "HeaderLine",
    "PlaceEntry",
    "ProblemLine",
    "ProblemLines",
    "SeenEntry",
    "UnjudgedLine",
    "UnknownLine",
    "encode_problem_lines",
    "problem_lines_schema",
    "read_problem_lines",
]

#: Goes up whenever a line's shape changes other than by a new key.
PROBLEM_LINES_VERSION = 1


class _Line(BaseModel):
    """Keys that a later version adds are read over."""

    model_config = ConfigDict(frozen=True)


class HeaderLine(_Line):
    """The first line: what was judged, by what, and with which seed."""

    type: Literal["header"] = "header"
    schema_version: Literal[1] = Field(default=1, description="goes up when a line's shape changes")
    payproof: str = Field(description="the version that judged")
    target: str
    url: str = Field(description="empty of the reference service")
    file: str = Field(description="the target file; empty of the reference service")
    environment: str
    seed: int
    started: str = Field(description="ISO 8601, in UTC")
    chosen: int = Field(description="how many cases were chosen; the footer counts those that ran")


class PlaceEntry(_Line):
    """Where a person mends a problem."""

    channel: Channel
    name: str = Field(description="the same in every run on every machine")


class SeenEntry(_Line):
    """Something that was seen of a problem."""

    case: str
    step: int
    check: str
    expected: str
    seen: str
    evidence: tuple[str, ...] = ()


class ProblemLine(_Line):
    """A problem: what a person mends once."""

    type: Literal["problem"] = "problem"
    number: int = Field(description="its place in this report, the gravest first")
    fingerprint: str = Field(description="the same for the same problem in every run on every machine")
    status: ProblemStatus = Field(description="only new ones break a rule")
    why: str = Field(description="the reason of a waiver")
    severity: Severity
    reason: str = Field(description="the contract's for another severity than usual")
    title: str
    rule: str = Field(description="the scenario that it breaks: topic/name")
    kind: str
    place: PlaceEntry
    remedy: str
    requirements: tuple[str, ...]
    also: tuple[str, ...] = Field(description="further kinds and rules that go with it")
    cases: tuple[str, ...] = Field(description="the ids of all cases that have seen it")
    sightings: int = Field(description="how many findings it has")
    seen: tuple[SeenEntry, ...] = Field(description="the first of them, each another one")
    repeat: str = Field(description="the command that runs its first case again")


class UnknownLine(_Line):
    """Cases of which nothing can be said, and why; ``fault`` is one of Payproof, not of the target."""

    type: Literal["unknown"] = "unknown"
    why: str
    fault: bool
    cases: tuple[str, ...]


class UnjudgedLine(_Line):
    """Cases that were not run, and which tables or keys of the target file would let them be."""

    type: Literal["unjudged"] = "unjudged"
    wants: tuple[str, ...]
    reasons: tuple[str, ...]
    cases: tuple[str, ...]


class FooterLine(_Line):
    """The last line: without it the file was cut short."""

    type: Literal["footer"] = "footer"
    problems: int = Field(description="how many lines of problems there are")
    counts: dict[str, int] = Field(description="cases by verdict: passed, failed, advised, errored, skipped")
    exit_code: int
    seconds: float


_AnyLine = Annotated[HeaderLine | ProblemLine | UnknownLine | UnjudgedLine | FooterLine, Field(discriminator="type")]
_LINES: TypeAdapter[Any] = TypeAdapter(_AnyLine)


@dataclass(frozen=True, slots=True)
class ProblemLines:
    """The lines of a whole file."""

    header: HeaderLine
    problems: tuple[ProblemLine, ...]
    unknown: tuple[UnknownLine, ...]
    unjudged: tuple[UnjudgedLine, ...]
    footer: FooterLine


def problem_lines_schema() -> dict[str, Any]:
    """Return the JSON Schema of one line."""
    schema: dict[str, Any] = _LINES.json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of Payproof's problems (payproof report --format jsonl)",
        **schema,
    }


def encode_problem_lines(lines: Iterable[_Line]) -> Iterator[str]:
    """Yield each line as JSON, in ASCII, with its end."""
    for line in lines:
        yield json.dumps(line.model_dump(mode="json"), ensure_ascii=True, separators=(",", ":")) + "\n"


def read_problem_lines(path: Path) -> ProblemLines:
    """Read a file that ``payproof report --format jsonl`` has written.

    Raises:
        ConfigurationError: it cannot be read, is something else or of another version, or was cut short.
    """
    try:
        texts = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(f"the problems cannot be read: {reason}", file=path) from None
    lines = [_read_line(text, path, number) for number, text in enumerate(texts, 1)]
    header, *between, footer = lines if len(lines) > 1 else [*lines, None]
    shape = {ProblemLine, UnknownLine, UnjudgedLine}
    if not (isinstance(header, HeaderLine) and isinstance(footer, FooterLine) and {type(o) for o in between} <= shape):
        raise ConfigurationError("one header comes first and one footer last", hint="this one was cut short", file=path)
    found = ProblemLines(
        header,
        tuple(one for one in between if isinstance(one, ProblemLine)),
        tuple(one for one in between if isinstance(one, UnknownLine)),
        tuple(one for one in between if isinstance(one, UnjudgedLine)),
        footer,
    )
    if footer.problems != len(found.problems):
        said = f"the footer counts {footer.problems} problems, the file holds {len(found.problems)}"
        raise ConfigurationError(said, hint="lines were taken out or added", file=path)
    return found


def _read_line(text: str, path: Path, number: int) -> _Line:
    try:
        content = read_json(text)
    except ValueError:
        raise ConfigurationError("not JSON; the file was cut short or edited", file=path, line=number) from None
    version = content.get("schema_version", 1) if isinstance(content, Mapping) else 1
    if version != PROBLEM_LINES_VERSION:
        said = f"lines of version {version!r}; this Payproof reads version {PROBLEM_LINES_VERSION}"
        raise ConfigurationError(said, file=path, line=number)
    try:
        line: _Line = _LINES.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        told = f"{place}: {first['msg']}" if place else "not a line of Payproof's problems"
        raise ConfigurationError(told, file=path, line=number) from None
    return line
