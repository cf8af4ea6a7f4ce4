"""Stripe events that a run makes up."""

from typing import Protocol

__all__ = ["MadeEvent"]


class MadeEvent(Protocol):
    """A made-up Stripe event."""

    @property
    def id(self) -> str:
        """The event's id."""
        ...

    @property
    def type(self) -> str:
        """The event's type."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """Every made-up Stripe id in the event, its own first."""
        ...

    def told_again(self, event_id: str) -> "MadeEvent":
        """Return an event of another id that tells the same of the same object."""
        ...

    def encode(self, form: str = "pretty") -> bytes:
        """Return the body in one of the forms that Stripe may send."""
        ...
