"""The target's OpenAPI document: JSON or YAML to plain values, refused where it could not be fuzzed."""

import re
from collections.abc import Iterator
from typing import Any

from payproof.domain.documents import read_json
from payproof.errors import ConfigurationError
from payproof.language.problems import parse_yaml

__all__ = ["read_openapi"]

_VERSIONS = re.compile(r"3\.[0-2]\.\d+(?:-.+)?")
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def read_openapi(text: bytes, place: str, *, yaml_bytes: int | None = None) -> dict[str, Any]:
    """Return the document.

    ``yaml_bytes`` is how long it may be where it is no JSON, any length without it.

    Raises:
        ConfigurationError: it is too long, neither JSON nor YAML, no OpenAPI 3 or Swagger 2, describes no operation, or
            refers to documents elsewhere, for which hosts would have to be asked that the target file does not list.
    """
    document = _parse_document(text, place, yaml_bytes)
    version = document.get("openapi", document.get("swagger")) if isinstance(document, dict) else None
    if not isinstance(version, str | float):
        raise ConfigurationError("no OpenAPI document: it names no version", hint="see 'openapi'", file=place)
    if not _VERSIONS.fullmatch(str(version)) and str(version) != "2.0":
        raise ConfigurationError(f"OpenAPI {version} is not known", hint="3.0 to 3.2 are, and Swagger 2.0", file=place)
    assert isinstance(document, dict)
    paths = document.get("paths")
    if not isinstance(paths, dict) or not any(
        isinstance(one, dict) and _METHODS & one.keys() for one in paths.values()
    ):
        raise ConfigurationError("the OpenAPI document describes no operation", hint="see its 'paths'", file=place)
    for reference in _references(document):
        if not reference.startswith("#"):
            problem = f"the OpenAPI document refers to another one, {reference!r}"
            raise ConfigurationError(problem, hint="bundle them into one", file=place)
    return document


def _parse_document(text: bytes, place: str, yaml_bytes: int | None) -> Any:
    try:
        return read_json(text)
    except ValueError:
        pass
    if yaml_bytes is not None and len(text) > yaml_bytes:
        problem = f"the OpenAPI document is no JSON, and longer than the {yaml_bytes:,} bytes that YAML may have"
        raise ConfigurationError(problem, hint="name a file, or publish it as JSON", file=place)
    return parse_yaml(text, place, "the OpenAPI document is neither JSON nor YAML")


def _references(value: Any) -> Iterator[str]:
    left, seen = [value], set[int]()
    while left:
        one = left.pop()
        if isinstance(one, dict | list) and id(one) in seen:
            continue  # YAML's anchors may make a value contain itself
        seen.add(id(one))
        if isinstance(one, dict):
            if isinstance(reference := one.get("$ref"), str):
                yield reference
            left += one.values()
        elif isinstance(one, list):
            left += one
