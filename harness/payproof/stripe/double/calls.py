"""The operations of the double: each is a function of one call, registered under its method and path."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payproof.stripe.double.errors import invalid, missing
from payproof.stripe.double.relations import Object, page
from payproof.stripe.double.store import ObjectStore

__all__ = ["OPERATIONS", "Call", "Operation", "Params", "list_page", "operation", "take_params"]


class Params(Mapping[str, Any]):
    """Checked parameters that note which of them were looked at; the others have no effect in the double."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._seen: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        """Return a parameter's value."""
        self._seen.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._values)

    @property
    def given(self) -> Mapping[str, Any]:
        """All parameters, for whoever does not act on them."""
        return self._values

    @property
    def unseen(self) -> tuple[str, ...]:
        """The parameters that nothing looked at."""
        return tuple(sorted(self._values.keys() - self._seen))


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation works on: the state, the checked parameters and the ids that the path names.

    ``owner`` is the first of them and ``id`` the last; they are the same where there is one, and empty without any.
    """

    store: ObjectStore
    params: Params
    id: str = ""
    owner: str = ""


Operation = Callable[[Call], Object]

_LIMIT, _MOST = 10, 100
_PAGING = frozenset({"ending_before", "expand", "limit", "starting_after"})

#: By method and path, in which ``{}`` stands for an id.
OPERATIONS: dict[str, Operation] = {}


def operation(*names: str) -> Callable[[Operation], Operation]:
    """Register a function as an operation, under a name such as ``POST /v1/customers/{}``."""

    def register(function: Operation) -> Operation:
        for name in names:
            OPERATIONS[name] = function
        return function

    return register


def take_params(params: Mapping[str, Any], names: Iterable[str], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the named parameters that were given, as an object's properties: an empty text unsets, metadata merges."""
    found: dict[str, Any] = {name: params[name] if params[name] != "" else None for name in names if name in params}
    if "metadata" in params:
        given = params["metadata"] or {}
        merged = {**before.get("metadata", {}), **given} if params["metadata"] else {}
        found["metadata"] = {name: value for name, value in merged.items() if value != ""}
    return found


def list_page(call: Call, objects: Iterable[Object], url: str) -> Object:
    """Return the page of objects, given newest first, that a call's ``limit`` and its other parameters ask for.

    What the operation itself has not looked at narrows the list where the objects have a property of that name.
    """
    params = call.params
    found = [*objects]
    for name in params.unseen:
        if name not in _PAGING and all(name in one for one in found):
            wanted = params[name]
            found = [one for one in found if _is_within(one[name], wanted)]
    limit = params.get("limit", _LIMIT)
    if not 1 <= limit <= _MOST:
        raise invalid(
            f"Invalid integer: limit must be between 1 and {_MOST}.",
            code="parameter_invalid_integer",
            param="limit",
            began=False,
        )
    ids = [one["id"] for one in found]
    if after := params.get("starting_after"):
        found = found[_place(ids, after, "starting_after") + 1 :]
    elif before := params.get("ending_before"):
        found = found[: _place(ids, before, "ending_before")]
        return page(url, found[-limit:], has_more=len(found) > limit)
    return page(url, found[:limit], has_more=len(found) > limit)


def _place(ids: list[str], wanted: str, param: str) -> int:
    try:
        return ids.index(wanted)
    except ValueError:
        raise missing("object", wanted, param, status=400) from None


def _is_within(value: Any, wanted: Any) -> bool:
    """Whether a property is what was asked for, in the range that was (``created[gte]``), or has it within."""
    if not isinstance(wanted, Mapping):
        return bool(value == wanted)
    if isinstance(value, Mapping):
        return all(value.get(name) == part for name, part in wanted.items())
    return value is not None and all(_COMPARED[name](value, limit) for name, limit in wanted.items())


_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
