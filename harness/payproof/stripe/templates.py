"""Reads event templates from ``fixtures/events``: one folder per API version, one small file per event type."""

import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from typing import Any

from payproof.errors import ConfigurationError

__all__ = ["Templates", "assign", "nearest"]

_KEYS = ("object", "previous_attributes", "remove", "set")
_API_VERSION = re.compile(r"20\d\d-[01]\d-[0-3]\d(\.[a-z]+)?")
_INCLUDE = "$object:"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the known name most like the given one, or an empty text where none is known."""
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    return f"nearest: {close[0]}" if close else ""


def assign(event: dict[str, Any], path: str, value: object, *, add: bool = False) -> None:
    """Put the value at a dotted path under ``data.object``, or under the event itself after a leading ``event.``.

    Raises ConfigurationError with the nearest key when the path leads into nothing. Metadata takes any key; with
    ``add``, every object does.
    """
    parent, last, within = _find(event, path)
    if isinstance(parent, list):
        parent[_index(parent, last, path)] = value
    elif isinstance(parent, dict) and (add or last in parent or within == "metadata"):
        parent[last] = value
    else:
        raise _unknown(path, last, parent)


def _find(event: dict[str, Any], path: str) -> tuple[Any, str, str]:
    absolute = path.startswith("event.")
    node: Any = event if absolute else event["data"]["object"]
    *steps, last = path.removeprefix("event.").split(".")
    within = ""
    for step in steps:
        if isinstance(node, list):
            node = node[_index(node, step, path)]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            raise _unknown(path, step, node)
        within = step
    return node, last, within


def _index(items: list[Any], step: str, path: str) -> int:
    if step.isdecimal() and int(step) < len(items):
        return int(step)
    raise _unknown(path, step, {str(number): item for number, item in enumerate(items)})


def _unknown(path: str, step: str, node: object) -> ConfigurationError:
    if isinstance(node, Mapping):
        return ConfigurationError(f"{path}: there is no {step!r}", hint=nearest(step, node))
    return ConfigurationError(
        f"{path}: {step!r} would lie inside {json.dumps(node)}", hint="set the whole value instead"
    )


class Templates:
    """The templates under one folder, each read once."""

    def __init__(self, fixtures: Traversable) -> None:
        self._fixtures = fixtures
        self._shapes: dict[str, str] = {}
        self._folders: dict[str, dict[str, Traversable]] = {}
        self._objects: dict[tuple[str, str], Any] = {}
        self._events: dict[tuple[str, str], dict[str, Any]] = {}

    def versions(self) -> tuple[str, ...]:
        """Return the API versions, oldest first."""
        return tuple(sorted(folder.name for folder in self._fixtures.iterdir() if folder.is_dir()))

    def shape(self, api_version: str) -> str:
        """Return the version whose templates have the shape of any API version, such as ``2025-09-30.clover``.

        Raises ConfigurationError for what is no API version of Stripe.
        """
        if api_version not in self._shapes:
            since: dict[str, str] = _read(self._fixtures.joinpath("shapes.json"))
            date = api_version[:10]
            fitting = [version for version, first in since.items() if first <= date]
            if not _API_VERSION.fullmatch(api_version) or not fitting:
                hint = f"such as {max(since)} or 2024-06-20"
                raise ConfigurationError(f"{api_version!r} is no API version of Stripe", hint=hint)
            self._shapes[api_version] = max(fitting, key=since.__getitem__)
        return self._shapes[api_version]

    def types(self, api_version: str) -> tuple[str, ...]:
        """Return the event types of a version, sorted; raises ConfigurationError for an unknown version."""
        return tuple(self._files(self.shape(api_version)))

    def event(self, event_type: str, api_version: str) -> dict[str, Any]:
        """Return the whole event with its placeholders, shared by all; raises ConfigurationError for no such."""
        api_version = self.shape(api_version)
        known = self._events.get((api_version, event_type))
        if known is None:
            known = self._events[api_version, event_type] = self._assemble(event_type, api_version)
        return known

    def object(self, name: str, api_version: str) -> dict[str, Any]:
        """Return an object at rest with its placeholders, shared by all; raises ConfigurationError for no such."""
        found: dict[str, Any] = self._object(name, self.shape(api_version))
        return found

    def has_object(self, name: str, api_version: str) -> bool:
        """Whether there is an object of a name at rest in a version's shape."""
        return self._fixtures.joinpath(self.shape(api_version), "objects", f"{name}.json").is_file()

    def _files(self, api_version: str) -> dict[str, Traversable]:
        if api_version not in self._folders:
            files = (file for file in self._fixtures.joinpath(api_version).iterdir() if file.name.endswith(".json"))
            self._folders[api_version] = {
                file.name.removesuffix(".json"): file for file in sorted(files, key=lambda file: file.name)
            }
        return self._folders[api_version]

    def _assemble(self, event_type: str, api_version: str) -> dict[str, Any]:
        files = self._files(api_version)
        if event_type not in files:
            hint = nearest(event_type, files)
            raise ConfigurationError(f"no event type {event_type!r} in API version {api_version}", hint=hint)
        recipe = _read(files[event_type])
        place = f"{api_version}/{event_type}.json"
        for key in recipe:
            if key not in _KEYS:
                raise ConfigurationError(f"there is no key {key!r}", hint=nearest(key, _KEYS), file=place)
        event: dict[str, Any] = deepcopy(self._object("event", api_version))
        event |= {"api_version": api_version, "type": event_type}
        event["data"]["object"] = deepcopy(self._object(recipe["object"], api_version))
        for path, value in recipe.get("set", {}).items():
            assign(event, path, self._expand(value, api_version), add=True)
        for key in recipe.get("remove", ()):
            del event["data"]["object"][key]
        if "previous_attributes" in recipe:
            event["data"]["previous_attributes"] = recipe["previous_attributes"]
        return event

    def _object(self, name: str, api_version: str) -> Any:
        if (api_version, name) not in self._objects:
            folder = self._fixtures.joinpath(api_version, "objects")
            known = [file.name.removesuffix(".json") for file in folder.iterdir()]
            if name not in known:
                hint = nearest(name, known)
                raise ConfigurationError(f"no object template {name!r}", hint=hint, file=f"{api_version}/objects")
            content = _read(folder.joinpath(f"{name}.json"))
            self._objects[api_version, name] = self._expand(content, api_version)
        return self._objects[api_version, name]

    def _expand(self, node: Any, api_version: str) -> Any:
        if isinstance(node, dict):
            return {key: self._expand(value, api_version) for key, value in node.items()}
        if isinstance(node, list):
            return [self._expand(value, api_version) for value in node]
        if isinstance(node, str) and node.startswith(_INCLUDE):
            return deepcopy(self._object(node.removeprefix(_INCLUDE), api_version))
        return node


def _read(file: Traversable) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise ConfigurationError(error.msg, file=str(file), line=error.lineno) from error
