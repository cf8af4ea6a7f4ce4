"""A target that a program describes at run time: a mapping with the keys of a target file, to ``Target``."""

import os
import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from payproof.domain.address import without_password
from payproof.domain.target import LOOPBACK, Environment, Target
from payproof.errors import ConfigurationError
from payproof.language.problems import Locator, keys_at, parse_toml, read_text, refuse_all
from payproof.language.target_file import TargetEntry, TargetReader

__all__ = ["read_target_mapping"]

_MISSING_VARIABLE = re.compile(r"'((?:.*\.)?)(\w+)_env' is missing")


def read_target_mapping(
    given: Mapping[str, object], *, place: str, folder: Path, environment: Mapping[str, str] = os.environ
) -> Target:
    """Read a mapping with the keys of a target file, and with what only a program can give.

    ``base`` names a target file whose tables the mapping adds to, and whose other values it replaces. Wherever a target
    file names a variable (``secret_env``) the mapping may hold the value (``secret``), as it is nowhere written down.
    ``name`` need not be given, nor ``environment`` if the URL is that of this machine. Paths are relative to the base,
    or else to ``folder``. ``place`` is what stands in the place of a file in what is told.

    Raises:
        ConfigurationError: something is missing or malformed, or asks for what cannot or must not be.
    """
    content = _plain(given, place)
    base, path = content.pop("base", None), folder / place
    if isinstance(base, str):
        path = folder / base
        content = _merge(parse_toml(read_text(path, "target file"), path), content)
        place = f"{place}, on {base}"
    elif base is not None:
        raise ConfigurationError("'base' is not right", hint="it names a target file", file=place)
    content.setdefault("name", "the target of this test-suite")
    if not {"url", "url_env"} & content.keys():
        raise ConfigurationError("'url' is missing", hint="the base of the target, such as live_server.url", file=place)
    if _is_here(content.get("url")):
        content.setdefault("environment", Environment.LOCAL.value)
    values: dict[str, str] = {}
    _name_values(content, (), values, place)
    return TargetReader(path, lambda _: None, ChainMap(values, dict(environment)), place, _refuse_all).read(content)


def _plain(value: Any, place: str) -> Any:
    """Return mappings, lists and paths as TOML would have them."""
    if isinstance(value, Mapping):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise ConfigurationError(f"the key {wrong[0]!r} is no text", hint="see docs/target-file.md", file=place)
        return {key: _plain(one, place) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one, place) for one in value]
    return str(value) if isinstance(value, os.PathLike) else value


def _merge(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return what a file says with what is said on top of it: tables are merged, all else is replaced."""
    merged = dict(base)
    for key, value in own.items():
        # What is given as a value, or named by a variable, replaces what was said in the other way.
        merged.pop(key.removesuffix("_env") if key.endswith("_env") else f"{key}_env", None)
        table = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if table else value
    return merged


def _is_here(url: object) -> bool:
    try:
        return isinstance(url, str) and urlsplit(url).hostname in LOOPBACK
    except ValueError:
        return False


def _name_values(content: Any, place: Sequence[str | int], values: dict[str, str], told: str) -> None:
    """Put each value that a target file may not hold in place of a variable's, under its own place as a name."""
    if isinstance(content, list):
        for index, one in enumerate(content):
            _name_values(one, [*place, index], values, told)
    if not isinstance(content, dict):
        return
    known = keys_at(TargetEntry, place)
    for key, value in [*content.items()]:
        name = ".".join(map(str, [*place, key]))
        hidden = key not in known or (place and key == "url" and _holds_password(value))
        if hidden and f"{key}_env" in known and not isinstance(value, dict):
            if not isinstance(value, str) or not value.strip():
                problem = f"{name!r} is {'empty' if isinstance(value, str) else 'no text'}"
                raise ConfigurationError(problem, hint="give its value", file=told)
            if f"{key}_env" in content:
                hint = f"remove '{key}_env'"
                raise ConfigurationError(f"{name!r} is given twice", hint=hint, file=told)
            del content[key]
            content[f"{key}_env"], values[name] = name, value
        else:
            _name_values(value, [*place, key], values, told)


def _holds_password(url: object) -> bool:
    try:
        return isinstance(url, str) and "@" in url and without_password(url)[1] is not None
    except ValueError:
        return False


def _refuse_all(
    error: ValidationError, place: str, locate: Locator, model: type[BaseModel]
) -> list[ConfigurationError]:
    """Return all objections; a variable that is missing could be a value as well."""
    told = refuse_all(error, place, locate, model)
    return [_offer_value(one.problem, place) or one for one in told]


def _offer_value(problem: str, place: str) -> ConfigurationError | None:
    if not (missing := _MISSING_VARIABLE.fullmatch(problem)):
        return None
    table, value = missing.groups()
    return ConfigurationError(f"'{table}{value}' is missing", hint=f"or '{value}_env', a variable", file=place)
