"""Checks the parameters of a call by Stripe's own schemas, which ``fixtures/api`` holds for each operation."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

__all__ = ["ParameterError", "Schemas", "pattern"]

Schema = Mapping[str, Any]

# What an empty value takes away though the OpenAPI does not say so: texts that are null where there is none. By the
# changelog of 2013-08-12 (https://docs.stripe.com/changelog/2013-08-12/allows-description-email-fields-null), and by
# CustomerUpdateParams of stripe-java, in which these take an EmptyParam.
_OF_CUSTOMERS, _OF_DESCRIBED = frozenset({"description", "email", "name", "phone"}), frozenset({"description"})
_UNSET: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("POST /v1/customers", "POST /v1/customers/{}"), _OF_CUSTOMERS),
    **dict.fromkeys(("POST /v1/charges", "POST /v1/charges/{}"), _OF_DESCRIBED),
    **dict.fromkeys(("POST /v1/invoiceitems", "POST /v1/invoiceitems/{}"), _OF_DESCRIBED),
}

_IN_BRACES = re.compile(r"\{[^{}]+\}")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,12})?|\.\d{1,12})")


def pattern(path: str) -> str:
    """Return a path of the specification with its placeholders as ``{}``, as their names differ by version."""
    return _IN_BRACES.sub("{}", path)


@dataclass(frozen=True, slots=True)
class ParameterError(Exception):
    """A parameter that Stripe refuses: Stripe's code, where it has one, Stripe's words, and the parameter's name."""

    code: str | None
    message: str
    param: str


class Schemas:
    """The schemas of every operation's parameters, by API version; each file is read once."""

    def __init__(self, folder: Traversable) -> None:
        self._folder = folder
        self._read = cache(self._file)

    def _file(self, api_version: str) -> dict[str, Schema]:
        found: dict[str, Schema] = json.loads(self._folder.joinpath(f"{api_version}.json").read_text("utf-8"))
        return found

    def knows(self, operation: str, api_version: str) -> bool:
        """Whether an API version has an operation, such as ``POST /v1/customers/{}``."""
        return operation in self._read(api_version)

    def check(self, operation: str, api_version: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with their types: integers, numbers and booleans in place of their texts.

        An empty text stays one where it is a way to take a value away.

        Raises:
            ParameterError: unknown, missing, or of another type than Stripe asks for.
        """
        unset = {name: "" for name in _UNSET.get(operation, ()) if given.get(name) == ""}
        others = {name: value for name, value in given.items() if name not in unset}
        return _object(self._read(api_version)[operation], others, "") | unset


def _object(schema: Schema, given: Mapping[str, Any], path: str) -> dict[str, Any]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    others: Schema | None = schema.get("additionalProperties")
    for name in given:
        if name not in known and others is None:
            where = _within(path, name)
            raise ParameterError("parameter_unknown", f"Received unknown parameter: {where}", where)
    for name in schema.get("required", ()):
        if name not in given:
            where = _within(path, name)
            raise ParameterError("parameter_missing", f"Missing required param: {where}.", where)
    return {
        # An empty value is how a key of one's own choice, as in metadata, is taken away.
        name: ""
        if name not in known and value == ""
        else _value(known.get(name) or others or {}, value, _within(path, name))
        for name, value in given.items()
    }


def _within(path: str, name: object) -> str:
    return f"{path}[{name}]" if path else str(name)


def _value(schema: Schema, given: Any, path: str) -> Any:
    if "anyOf" in schema:
        return _any_of(schema["anyOf"], given, path)
    match schema.get("type"):
        case "object":
            if not isinstance(given, Mapping):
                # An empty list is an empty object too: a form cannot tell them apart.
                raise ParameterError(None, "Invalid object", path)
            return _object(schema, given, path)
        case "array":
            if not isinstance(given, list):
                raise ParameterError(None, "Invalid array", path)
            return [_value(schema["items"], one, f"{path}[{number}]") for number, one in enumerate(given)]
    if not isinstance(given, str):
        raise ParameterError(None, f"Invalid {schema.get('type', 'string')}", path)
    return _scalar(schema, given, path)


def _any_of(choices: list[Schema], given: Any, path: str) -> Any:
    first: ParameterError | None = None
    for choice in choices:
        try:
            return _value(choice, given, path)
        except ParameterError as error:
            # What is said of a parameter within is more to the point than that the whole is none of the choices.
            if first is None or len(error.param) > len(first.param):
                first = error
    assert first is not None
    raise first


def _scalar(schema: Schema, given: str, path: str) -> Any:
    match schema.get("type"):
        case "integer" if _INTEGER.fullmatch(given):
            return int(given)
        case "integer":
            raise ParameterError("parameter_invalid_integer", f"Invalid integer: {given}", path)
        case "number" if _NUMBER.fullmatch(given):
            return float(given)
        case "number":
            raise ParameterError(None, f"Invalid decimal: {given}", path)
        case "boolean" if given in {"true", "false"}:
            return given == "true"
        case "boolean":
            raise ParameterError(None, f"Invalid boolean: {given}", path)
    return _text(schema, given, path)


def _text(schema: Schema, given: str, path: str) -> str:
    choices = schema.get("enum")
    if choices is not None and given not in choices:
        if choices == [""]:
            raise ParameterError(None, "Invalid string", path)
        raise ParameterError(None, f"Invalid {path}: must be one of {', '.join(map(str, choices))}", path)
    if choices is None and not given:
        message = (
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty "
            "value."
        )
        raise ParameterError("parameter_invalid_empty", message, path)
    if schema.get("format") == "decimal" and not _NUMBER.fullmatch(given):
        raise ParameterError(None, f"Invalid decimal: {given}", path)
    if len(given) > schema.get("maxLength", len(given)):
        raise ParameterError(None, f"Invalid string: must be at most {schema['maxLength']} characters", path)
    return given
