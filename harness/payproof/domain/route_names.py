"""Names the routes of a target, so that findings on one of them stand in one place, whatever ids its path holds."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from payproof.domain.shapes import strip_ids
from payproof.domain.target import Target

__all__ = ["RouteNames"]

_HOLE = re.compile(r"\{[^}/]*\}")
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})


@dataclass(frozen=True, slots=True)
class RouteNames:
    """The routes that a target file and the OpenAPI document name: for each path, with ``{}`` for ids, its methods."""

    methods: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, target: Target) -> "RouteNames":
        """Return the routes of a target."""
        found: dict[str, set[str]] = {}
        for method, path in target.listed:
            found.setdefault(strip_ids(_HOLE.sub("{}", path.partition("?")[0])), set()).add(method)
        described = target.openapi.document if target.openapi is not None else None
        paths = described.get("paths") if described is not None else None
        for path, item in paths.items() if isinstance(paths, Mapping) else ():
            if isinstance(item, Mapping):
                methods = {str(method).upper() for method in item} & _METHODS
                found.setdefault(_HOLE.sub("{}", str(path)), set()).update(methods)
        return cls({path: frozenset(methods) for path, methods in found.items()})

    def name_route(self, method: str, target: str) -> str:
        """Return the name of the route that a request is for, or nothing where the target has none that is known."""
        path = _normalise(target.partition("?")[0])
        bare = strip_ids(path).rstrip("/").lower()
        for known, methods in self.methods.items():
            if known.rstrip("/").lower() == bare or _fits(known, path):
                return f"{method} {known}" if method in methods else f"{known}, other methods"
        return ""


def _normalise(path: str) -> str:
    """Return another form of a path as the one that most servers take it for."""
    plain = posixpath.normpath(unquote(path)) if path.startswith("/") else path
    return plain.replace("//", "/") + ("/" if path.endswith("/") and plain != "/" else "")


def _fits(known: str, path: str) -> bool:
    parts, given = known.split("/"), path.split("/")
    return len(parts) == len(given) and all(
        mine == theirs or ("{}" in mine and theirs) for mine, theirs in zip(parts, given, strict=True)
    )
