"""What Stripe knows of money and subscriptions, and how a target's rows agree with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["KINDS", "Agreement", "Divergence", "RecordKind", "StripeRecord"]

RecordKind = Literal["payment", "refund", "subscription"]
KINDS: tuple[RecordKind, ...] = ("payment", "refund", "subscription")


@dataclass(frozen=True, slots=True)
class StripeRecord:
    """A payment, a refund or a subscription at Stripe.

    ``ids`` are those by which a row may name it: of a payment the intent's, the charge's and the invoice's. ``fields``
    are what a row may say of it, each with every text that is right: ``status`` of the intent and of the charge.
    ``required`` says that a target must know it: a payment that failed need not leave anything. ``changed`` is when it
    last changed, in Unix seconds.
    """

    kind: RecordKind
    id: str
    ids: frozenset[str]
    fields: Mapping[str, frozenset[str]]
    required: bool
    changed: int

    @property
    def told(self) -> str:
        """What it is at Stripe, in words."""
        texts = (f"{name} {' or '.join(sorted(one))}" for name, one in self.fields.items() if name in _TOLD and one)
        return ", ".join(texts)


_TOLD = frozenset({"amount", "currency", "status"})


@dataclass(frozen=True, slots=True)
class Divergence:
    """A record that no row names, where ``place`` is empty, or a column that says something else than Stripe does."""

    record: StripeRecord
    place: str = ""
    found: str = ""
    wanted: str = ""

    @property
    def told(self) -> str:
        """The difference in words."""
        if not self.place:
            return f"never arrived: at Stripe {self.record.told}"
        return f"{self.place} is {self.found}, at Stripe {self.wanted}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """How rows agree with Stripe about one kind of record.

    ``known`` counts what Stripe has, ``recent`` what of it changed too lately to be judged, ``shown`` what rows name.
    ``places`` are the columns that name it, ``compared`` those that say what Stripe says of it. A refund need not be
    named where payments say how much of them was refunded.
    """

    kind: RecordKind
    known: int
    recent: int
    shown: int
    places: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    divergences: tuple[Divergence, ...] = field(default=())

    @property
    def is_judged(self) -> bool:
        """Whether any row tells of such a record: a target may keep none of a kind, and then nothing can be told."""
        return bool(self.shown or self.compared)
