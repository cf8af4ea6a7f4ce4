"""Turns what pydantic and the parsers object to into one line: file, place, what is wrong, what would be right."""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from payproof.errors import ConfigurationError, SeveralMistakesError
from payproof.registry import nearest

__all__ = [
    "UNION_TAG",
    "Locator",
    "keys_at",
    "locate_in_toml",
    "locate_in_yaml",
    "parse_toml",
    "parse_yaml",
    "place_of_error",
    "read_text",
    "refuse",
    "refuse_all",
    "repeated_keys",
    "told_at_once",
    "without_unknown_keys",
]

# For each part of a dotted key tomllib remembers all that are before it: 100,000 parts take 20 GB.
_DOTTED = re.compile(r"\s*\[{0,2}\s*(?:[\w\"'-]+\s*\.\s*){100}")
_DEEPEST = 100  # levels of YAML; libyaml composes deeper ones by recursion in C, and ends the process

#: How tags of unions begin, which are no keys of the file.
UNION_TAG = "tag-"

_ALTERNATIVES = frozenset({"str", "int", "float", "bool"})
_SIMPLE = "simple"
#: What pydantic says in the words of Python, in those of whoever writes a file.
_PLAIN = {
    "bool_type": "it should be true or false",
    "dict_type": "it should be a table, of keys with values",
    "float_type": "it should be a number",
    "int_type": "it should be a whole number",
    "model_type": "it should be a table, of keys with values",
    "string_type": "it should be a text",
    "tuple_type": "it should be a list",
    _SIMPLE: "it should be a text, a number, or true or false",
}
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


def locate_in_toml(text: str) -> Locator:
    """Return what finds the line of a key in a TOML file, by its table header and its name."""

    def locate(place: Sequence[str | int]) -> int | None:
        names = [part for part in place if isinstance(part, str)]
        index = next((part for part in place if isinstance(part, int)), 0)
        if not names:
            return None
        *table, key = names
        assigned = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
        here, passed = [], -1
        for number, line in enumerate(text.splitlines(), 1):
            if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
                here = [part.strip().strip("\"'") for part in header[1].split(".")]
                passed = passed + 1 if here == (table or names) else passed
                if here == names and (table or passed == index):
                    return number
            elif here == table and (not table or passed >= index) and assigned.match(line):
                return number
        return locate(place[:-1]) if len(place) > 1 else None

    return locate


def told_at_once(mistakes: Iterable[ConfigurationError]) -> ConfigurationError:
    """Return mistakes, of which there is at least one, as one error, in the order of their lines."""
    ordered = sorted(
        {str(one): one for one in mistakes}.values(), key=lambda one: math.inf if one.line is None else one.line
    )
    return ordered[0] if len(ordered) == 1 else SeveralMistakesError(ordered)


def without_unknown_keys(content: dict[str, Any], error: ValidationError) -> dict[str, Any]:
    """Return a file's content without the keys that a model does not know, so that the rest can be judged."""
    known = deepcopy(content)
    for one in error.errors(include_url=False):
        if one["type"] == "extra_forbidden":
            *place, key = place_of_error(one["loc"])
            # A key may be no text; and an alias repeats a mapping, which has lost it already.
            with suppress(LookupError, TypeError):
                here: Any = known
                for part in place:
                    here = here[part]
                del here[key]
    return known


def refuse(error: ValidationError, file: str, locate: Locator, model: type[BaseModel]) -> ConfigurationError:
    """Return all objections as one error."""
    return told_at_once(refuse_all(error, file, locate, model))


def refuse_all(error: ValidationError, file: str, locate: Locator, model: type[BaseModel]) -> list[ConfigurationError]:
    """Return all objections, unknown keys before all others, each as one line."""
    errors = [*_merge_alternatives(error)]
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
    places = [place_of_error(one["loc"]) for one in errors]
    for one, place in zip(errors, places, strict=True):
        # A misspelt key is also a missing one, and its table lacks something; the spelling is what helps.
        if one["type"] == "extra_forbidden" or (one["type"] == "missing" and place in meant):
            continue
        if one["type"] == "value_error" and place in [near[:-1] for near in meant]:
            continue
        # A list is too short for what is wrong in it.
        if one["type"] == "too_short" and any(inner[:-1][: len(place)] == place for inner in places):
            continue
        name = ".".join(map(str, place))
        if one["type"] == "missing":
            problem, hint = f"{name!r} is missing", ""
        else:
            said = _PLAIN.get(one["type"], one["msg"])
            message = _SUBJECT.sub("it should ", said.removeprefix("Value error, "), count=1)
            problem, hint = f"{name!r} is not right", message[0].lower() + message[1:]
        told.append(ConfigurationError(problem, hint=hint, file=file, line=locate(place) or locate(place[:-1])))
    return told


def _merge_alternatives(error: ValidationError) -> Iterator[Mapping[str, Any]]:
    """Yield each objection once: of a value that may be of several types, one for all of them."""
    errors = error.errors(include_url=False)
    places = Counter(one["loc"][:-1] for one in errors if one["loc"] and one["loc"][-1] in _ALTERNATIVES)
    for one in errors:
        if one["loc"] and one["loc"][-1] in _ALTERNATIVES and places[one["loc"][:-1]] != 1:
            if places.pop(one["loc"][:-1], 0):
                yield {**one, "loc": one["loc"][:-1], "type": _SIMPLE}
        else:
            yield dict(one)


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
