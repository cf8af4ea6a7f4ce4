"""Truth values as rows write them."""

from collections.abc import Iterable

__all__ = ["tell_truth_value"]

_TRUE, _FALSE = frozenset({"1", "t", "true", "yes"}), frozenset({"0", "f", "false", "no"})


def tell_truth_value(text: str, wanted: Iterable[str]) -> str:
    """Return what a cell says, as ``true`` or ``false`` where nothing else is wanted: rows write it in many ways."""
    if {*wanted} <= {"true", "false"}:
        return "true" if text.lower() in _TRUE else "false" if text.lower() in _FALSE else text
    return text
