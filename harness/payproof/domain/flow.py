"""Payment flows: what a customer and a merchant do at Stripe, from one moment to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Act", "Flow", "FlowMoment", "count_days"]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is done at Stripe, by its name, such as ``advance``, with its parameters."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The act in words, such as ``advance: days 32``."""
        more = ", ".join(f"{name} {value}" for name, value in self.values.items())
        return self.name.replace("_", " ") + (f": {more}" if more else "")


@dataclass(frozen=True, slots=True)
class FlowMoment:
    """A time in a flow at which a target is looked at: the acts that lead to it from the one before.

    ``then`` is what Stripe's objects are by then, by ``subscription`` (its status) or ``charge.amount_refunded``: where
    they are not, the flow says nothing about a target.
    """

    name: str
    acts: tuple[Act, ...]
    then: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """A payment flow; ``source`` is the document that says what Stripe does in it.

    ``after_retries`` is the setting of Stripe's dashboard that the flow is about, where it is about one: what becomes
    of a subscription of which no payment has succeeded. ``prices`` is how many prices a target must know.
    """

    name: str
    title: str
    source: str
    moments: tuple[FlowMoment, ...]
    after_retries: str = "cancel"
    prices: int = 1

    def until(self, moment: str) -> tuple[FlowMoment, ...]:
        """Return the moments up to one, or all with an empty name; raises ValueError where there is no such."""
        if not moment:
            return self.moments
        names = [one.name for one in self.moments]
        if moment not in names:
            raise ValueError(f"flow {self.name} has no moment {moment!r}, but {', '.join(names)}")
        return self.moments[: names.index(moment) + 1]

    @property
    def days(self) -> float:
        """How many days the flow takes by Stripe's clock."""
        return count_days(self.moments)


def count_days(moments: tuple[FlowMoment, ...]) -> float:
    """Return how many days moments take by Stripe's clock."""
    acts = [act for moment in moments for act in moment.acts if act.name == "advance"]
    return sum(float(act.values.get("days", 0)) + float(act.values.get("hours", 0)) / 24 for act in acts)
