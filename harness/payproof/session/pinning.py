"""Writes what a calibration has learnt into the target file, so that a later run holds the target to it."""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import Table

from payproof.domain.control import ControlEvents
from payproof.domain.target import Target
from payproof.errors import ConfigurationError

__all__ = ["describe_differences", "edit_file", "pin", "pin_file", "write_beside"]

_SLOW, _MARGIN = 1.0, 4  # seconds after which effects count as slow; times as long as measured that they may take


def pin_file(path: Path, target: Target) -> None:
    """Write what was learnt into a target file; its comments and all else stay.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    edit_file(path, lambda document: pin(document, target))


def edit_file(path: Path, change: Callable[[TOMLDocument], None]) -> None:
    """Change the document of a target file; its comments and all else stay.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    change(document)
    write_beside(path, tomlkit.dumps(document))


def write_beside(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        ConfigurationError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.payproof")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigurationError(f"cannot be written: {error.strerror}", file=path) from None


def pin(document: TOMLDocument, target: Target) -> None:
    """Put what was learnt of a target into the document of its file."""
    found = target.calibration
    contract = document.setdefault("contract", tomlkit.table())
    assert isinstance(contract, Table)
    _set_before_comments(contract, "handles", _list_types(found.handled, len(found.reactions)))
    others = [one for one in found.reactions if not one.is_handled]
    if others and all(one.is_accepted for one in others):
        _set_before_comments(contract, "ignores", "2xx")
    elif others and all(one.is_refused for one in others):
        _set_before_comments(contract, "ignores", "4xx")
    slowest = max((one.seconds for one in found.reactions if one.is_handled), default=0.0)
    if slowest > _SLOW:
        contract["effect_within"] = float(math.ceil(_MARGIN * slowest))
    if target.control is not None:
        document["control"] = _describe_control(target.control)
    for spec in document.get("stores", []):
        if missing := [one for one in found.journals_of(spec["name"]) if one not in spec.get("rejection_log", [])]:
            spec["rejection_log"] = [*spec.get("rejection_log", []), *missing]


def _set_before_comments(table: Table, key: str, value: object) -> None:
    """Set a key of a table; a new one comes before the comments at its end, which may hold tables to be filled in."""
    trailing = []
    while key not in table and table.value.body and table.value.body[-1][0] is None:
        trailing.append(table.value.body.pop()[1])
    table[key] = value
    for item in reversed(trailing):
        table.add(item)  # type: ignore[call-overload]  # what has no key is a comment or white space


def _list_types(handled: Iterable[str], tried: int) -> list[str]:
    types = sorted(handled)
    return ["*"] if len(types) == tried else types


def _describe_control(control: ControlEvents) -> Mapping[str, Any]:
    table: dict[str, Any] = {"event": control.event.event}
    if control.event.set:
        table["set"] = dict(control.event.set)
    if control.alternate is not None:
        table["alternate"] = control.alternate.event
        if control.alternate.set:
            table["alternate_set"] = dict(control.alternate.set)
    return table


def describe_differences(pinned: Target, found: Target) -> list[str]:
    """Return in which types a target differs from what its file says, a line each; none where the file says nothing."""
    if pinned.contract.handles is None:
        return []
    lines = []
    for one in found.calibration.reactions:
        if one.is_handled and not pinned.contract.is_handled(one.event):
            lines.append(f"{one.event} has an effect now, and handles of [contract] does not list it")
        if not one.is_handled and pinned.contract.is_handled(one.event):
            told = "no answer" if one.status is None else f"status {one.status}"
            lines.append(f"{one.event} has no effect any more ({told}), though handles of [contract] lists it")
    return lines
