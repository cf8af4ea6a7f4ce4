"""The control event: a genuine event of which the target is known to show an effect, each time that it is delivered.

Scenarios deliver it where they name no type of event. It shows that the target listens and that the right place is
watched; and what a forgery of it changes would be seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ControlEvent", "ControlEvents"]


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """A type of event, with values at dotted paths of its object."""

    event: str
    set: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ControlEvents:
    """The control event and, where it has no effect a second time, the ``alternate`` that undoes what it did.

    The two then take turns, so that each delivery has something to change.
    """

    event: ControlEvent = ControlEvent("customer.subscription.updated")
    alternate: ControlEvent | None = None

    @property
    def turns(self) -> tuple[ControlEvent, ...]:
        """The events in the order in which they take turns."""
        return (self.event,) if self.alternate is None else (self.event, self.alternate)
