"""Turns what pydantic and the parsers object to into one line: file, place, what is wrong, what would be right."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from payproof.errors import ConfigurationError
from payproof.registry import nearest

__all__ = [
    "UNION_TAG",
    "Locator",
    "keys_at",
    "locate_in_yaml",
    "parse_toml",
    "parse_yaml",
    "place_of_error",
    "read_text",
    "refuse",
    "refuse_all",
    "repeated_keys",
]

# For each part of a dotted key tomllib remembers all that are before it: 100,000 parts take 20 GB.
_DOTTED = re.compile(r"\s*\[{0,2}\s*(?:[\w\"'-]+\s*\.\s*){100}")
_DEEPEST = 100  # levels of YAML; libyaml composes deeper ones by recursion in C, and ends the process

#: How tags of unions begin, which are no keys of the file.
UNION_TAG = "tag-"

_SUBJECT = re.compile(r"^[A-Z]\w+ should ")  # pydantic says what sort of thing it is, and not which

#: From a path of keys and indexes to the line where it stands, counted from 1.
Locator = Callable[[Sequence[str | int]], int | None]


def read_text(path: Any, what: str) -> str:
    """Return a file's text.

    Raises:
        ConfigurationError: there is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        text: str = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the {what} is not UTF-8: byte {error.start}", file=str(path)) from None
    except OSError as error:
        raise ConfigurationError(f"the {what} cannot be read: {error.strerror}", file=str(path)) from None
    return text


def parse_yaml(text: str | bytes, file: str, problem: str = "not YAML") -> Any:
    """Return what YAML says.

    Raises:
        ConfigurationError: it is none, is nested too deep, or a value is not of the type that it looks like.
    """
    try:
        _require_shallow(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or "unreadable"
        raise ConfigurationError(f"{problem}: {why}", file=file, line=mark and mark.line + 1) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        # What yaml's constructors raise of dates that there are not, of numbers without end, of wrong tags.
        raise ConfigurationError(f"{problem}: a value in it cannot be read", file=file) from None


def _require_shallow(text: str | bytes) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise yaml.MarkedYAMLError(problem="nested too deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def parse_toml(text: str, file: Any) -> dict[str, Any]:
    """Return what TOML says.

    Raises:
        ConfigurationError: it is none, is nested too deep, or holds a number of more than 4,300 digits.
    """
    for number, written in enumerate(text.splitlines(), 1):
        if _DOTTED.match(written):
            raise ConfigurationError("not TOML: nested too deep", file=file, line=number)
    try:
        return tomllib.loads(text)
    except ValueError as error:
        where = re.search(r"line (\d+)", str(error))
        problem = re.sub(r" \(at .*\)", "", str(error)).partition("; use sys.")[0]
        line = int(where[1]) if where else max(1, len(text.splitlines()))  # without a line it is the end of the file
        raise ConfigurationError(f"not TOML: {problem}", file=file, line=line) from None
    except RecursionError:
        raise ConfigurationError("not TOML: nested too deep", file=file) from None


def locate_in_yaml(tree: yaml.Node | None) -> Locator:
    """Return what finds the line of a place in a YAML tree; of the nearest enclosing one where it is not there."""

    def locate(place: Sequence[str | int]) -> int | None:
        here, line = tree, 1
        for part in place:
            if isinstance(here, yaml.MappingNode):
                pair = next(((key, value) for key, value in here.value if key.value == str(part)), None)
                if pair is None:
                    break
                line, here = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(here, yaml.SequenceNode) and isinstance(part, int) and part < len(here.value):
                here = here.value[part]
                line = here.start_mark.line + 1
        return line

    return locate


def repeated_keys(tree: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Yield each key that stands twice in one mapping, with its second line: YAML would forget the first value."""
    left, known = [tree], set[int]()
    while left:
        here = left.pop()
        if id(here) in known:
            continue  # an anchor may make a node contain itself
        known.add(id(here))
        if isinstance(here, yaml.MappingNode):
            seen = set[str]()
            for key, value in here.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen:
                        yield key.value, key.start_mark.line + 1
                    seen.add(key.value)
                left.append(value)
        elif isinstance(here, yaml.SequenceNode):
            left += here.value


def refuse(error: ValidationError, file: str, locate: Locator, model: type[BaseModel]) -> ConfigurationError:
    """Return the first objection, an unknown key before all others, as the user's one line."""
    return refuse_all(error, file, locate, model)[0]


def refuse_all(error: ValidationError, file: str, locate: Locator, model: type[BaseModel]) -> list[ConfigurationError]:
    """Return all objections, unknown keys before all others, each as one line."""
    errors = error.errors(include_url=False)
    unknown = [one for one in errors if one["type"] == "extra_forbidden"]
    told: list[ConfigurationError] = []
    meant: list[list[str | int]] = []
    for one in unknown:
        *place, key = place_of_error(one["loc"])
        known = keys_at(model, place)
        meant += [[*place, near] for near in get_close_matches(str(key), list(known), n=1, cutoff=0.6)]
        name = ".".join(map(str, [*place, key]))
        line = locate([*place, key]) or locate(place)
        told.append(ConfigurationError(f"unknown key {name!r}", hint=nearest(str(key), known), file=file, line=line))
    for one in errors:
        place = place_of_error(one["loc"])
        # A misspelt key is also a missing one; the spelling is what helps.
        if one["type"] == "extra_forbidden" or (one["type"] == "missing" and place in meant):
            continue
        name = ".".join(map(str, place))
        if one["type"] == "missing":
            problem, hint = f"{name!r} is missing", ""
        else:
            message = _SUBJECT.sub("it should ", one["msg"].removeprefix("Value error, "), count=1)
            problem, hint = f"{name!r} is not right", message[0].lower() + message[1:]
        told.append(ConfigurationError(problem, hint=hint, file=file, line=locate(place) or locate(place[:-1])))
    return told


def place_of_error(loc: Sequence[str | int]) -> list[str | int]:
    """Return the keys and indexes of the file that lead to where pydantic objects."""
    tags = ("function-", "dict[", UNION_TAG)
    return [part for part in loc if not (isinstance(part, str) and part.startswith(tags))]


def keys_at(model: type[BaseModel], place: Sequence[str | int]) -> Mapping[str, object]:
    """Return the keys that a model knows at a place, through nested models."""
    here: Any = model
    for part in place:
        if isinstance(part, int) or not (isinstance(here, type) and issubclass(here, BaseModel)):
            continue
        field = here.model_fields.get(part) or next((f for f in here.model_fields.values() if f.alias == part), None)
        if field is None:
            continue  # a key that the user chose, such as a case's name, inside the mapping that was found last
        here = _model_in(field.annotation)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return {field.alias or name: field for name, field in here.model_fields.items()}
    return {}


def _model_in(annotation: Any) -> Any:
    """Return the first model inside an annotation such as ``tuple[Model, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_in(part))), None)
