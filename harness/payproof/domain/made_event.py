"""Stripe events that a run makes up."""

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Events", "MadeEvent"]


class MadeEvent(Protocol):
    """A made-up Stripe event."""

    @property
    def id(self) -> str:
        """The event's id."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """Every made-up Stripe id in the event, its own first."""
        ...

    def encoded(self, form: str = "pretty") -> bytes:
        """Return the body in one of the forms that Stripe may send."""
        ...


class Events(Protocol):
    """Makes events for the running case; each is distinct, and carries canaries that name the case."""

    def __call__(self, type_: str, *, values: Mapping[str, object], ids: Mapping[str, str], age: int = 0) -> MadeEvent:
        """Make an event of a type, with values set at dotted paths and ids pinned by prefix, ``age`` seconds old."""
        ...
