"""Reads what a SOURCE on the command line names: a place on the disk, a stream, a command's output, a database."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from payproof.at_rest.changes import Changes
from payproof.domain.address import without_password
from payproof.domain.sensitive import Secret
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError
from payproof.files.walk import match_pattern
from payproof.registry import nearest, table_sources

__all__ = ["SourceSpecs", "read_specs"]

_ALIASES = {"postgres": "postgresql"}
_WITH_PATH = frozenset({"sqlite"})


@dataclass(frozen=True, slots=True)
class SourceSpecs:
    """All that is to be searched: paths, databases, commands and containers by the names they are shown by, stdin.

    ``changes`` of the repository that the command runs in are searched instead of paths.
    """

    paths: tuple[Path, ...] = ()
    databases: tuple[SourceSpec, ...] = ()
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    stdin: bool = False
    changes: Changes | None = None


def read_specs(sources: Sequence[str], environment: Mapping[str, str]) -> SourceSpecs:
    """Read what the command line names.

    Raises:
        ConfigurationError: a source is of no known kind, or there is nothing that it names.
    """
    paths: list[Path] = []
    databases: list[SourceSpec] = []
    commands: dict[str, Sequence[str]] = {}
    containers: dict[str, str] = {}
    for source in sources:
        text = _read_environment(source, environment)
        scheme, colon, rest = text.partition(":")
        scheme = _ALIASES.get(scheme, scheme)
        if text == "-":
            continue
        if colon and scheme in table_sources():
            database = _read_database(scheme, rest, source)
            if not any(_is_same(database, known) for known in databases):
                databases.append(database)
        elif colon and scheme == "docker":
            containers[f"docker:{rest}"] = _check_container(rest)
        elif colon and scheme == "command":
            commands[f"command:{rest}"] = _split_command(rest)
        elif colon and scheme == "file":
            paths += _find_paths(rest)
        elif colon and scheme.isalpha() and (rest.startswith("//") or not Path(text).exists()) and _names_no_file(text):
            known = [*table_sources(), "file", "docker", "command", "env"]
            raise ConfigurationError(f"source {scheme}:... is of no known kind", hint=nearest(scheme, known))
        else:
            paths += _find_paths(text)
    return SourceSpecs(tuple(paths), tuple(databases), commands, containers, stdin="-" in sources)


def _is_same(one: SourceSpec, other: SourceSpec) -> bool:
    """Whether two sources are one: by their addresses, or by the file that they name."""
    first, second = (Path(spec.url.removeprefix("sqlite:")) for spec in (one, other))
    if one.url == other.url or not (one.url.startswith("sqlite:") and other.url.startswith("sqlite:")):
        return one.url == other.url
    try:
        return first.samefile(second)
    except OSError:
        return False


def _names_no_file(text: str) -> bool:
    return not match_pattern(text)


def _read_environment(source: str, environment: Mapping[str, str]) -> str:
    if not source.startswith("env:"):
        return source
    name = source.removeprefix("env:")
    value = environment.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"the environment variable {name} is not set", hint="it must hold a source's URL")
    return value


def _find_paths(pattern: str) -> list[Path]:
    found = match_pattern(pattern)
    if not found:
        raise ConfigurationError("there is no such file", file=pattern)
    return found


def _check_container(name: str) -> str:
    if not name.strip():
        raise ConfigurationError("a source names no container", hint="such as docker:billing")
    return name


def _split_command(text: str) -> Sequence[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigurationError(f"the command of a source cannot be read: {error}") from None
    if not words:
        raise ConfigurationError("a source names no command", hint="such as 'command:kubectl logs deploy/billing'")
    return words


def _read_database(scheme: str, rest: str, source: str) -> SourceSpec:
    if scheme in _WITH_PATH:
        return SourceSpec(rest, f"{scheme}:{rest}")
    try:
        url, password = without_password(f"{scheme}:{rest}")
    except ValueError as error:
        named = source if source.startswith("env:") else f"{scheme}://..."
        raise ConfigurationError(f"source {named} is not right: {error}") from None
    return SourceSpec(url, url, password=None if password is None else Secret("password", password))
