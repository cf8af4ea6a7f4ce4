"""Turns what pydantic and the parsers object to into one line: file, place, what is wrong, what would be right."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import ConfigurationError
from harness.registry import nearest

__all__ = ["Locator", "read_text", "refuse"]

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


def refuse(error: ValidationError, file: str, locate: Locator, model: type[BaseModel]) -> ConfigurationError:
    """Return the first objection, an unknown key before all others, as the user's one line."""
    errors = error.errors(include_url=False)
    # A misspelt key is also a missing one; the spelling is what helps.
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    place = [part for part in first["loc"] if not (isinstance(part, str) and part.startswith(("function-", "dict[")))]
    name = ".".join(map(str, place))
    match first["type"]:
        case "extra_forbidden":
            problem, hint = f"unknown key {name!r}", nearest(str(place[-1]), _keys_at(model, place[:-1]))
        case "missing":
            problem, hint = f"{name!r} is missing", ""
        case _:
            message = _SUBJECT.sub("it should ", first["msg"].removeprefix("Value error, "), count=1)
            problem, hint = f"{name!r} is not right", message[0].lower() + message[1:]
    line = locate(place) or locate(place[:-1])
    return ConfigurationError(problem, hint=hint, file=file, line=line)


def _keys_at(model: type[BaseModel], place: Sequence[str | int]) -> Mapping[str, object]:
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
