"""Stripe's test cards, by the PaymentMethods and tokens that stand for them (docs.stripe.com/testing)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from payproof.errors import ConfigurationError
from payproof.stripe.templates import nearest

__all__ = ["Card", "Cards"]


@dataclass(frozen=True, slots=True)
class Card:
    """What a test card does.

    ``code`` and ``decline_code`` are those of the error in which a payment ends; a card that ``attaches`` only fails
    once it is charged. ``dispute`` is the reason of the dispute that follows a payment, ``refund`` how a refund ends.
    """

    brand: str
    code: str | None = None
    decline_code: str | None = None
    attaches: bool = False
    authentication: bool = False
    dispute: str | None = None
    refund: str = "succeeded"


class Cards:
    """The known cards; ``given`` is the one that a new customer has from the start."""

    def __init__(self, file: Traversable, given: str | None) -> None:
        known: Mapping[str, Mapping[str, object]] = json.loads(file.read_text("utf-8"))
        self._known = {name: Card(**fields) for name, fields in known.items()}  # type: ignore[arg-type]
        if given is not None and given not in self._known:
            raise ConfigurationError(f"there is no test card {given!r}", hint=nearest(given, self._known))
        self.given = given
        self._of: dict[str, Card] = {}

    def find(self, name: str) -> Card | None:
        """Return a test card, by its own name or by the id of the PaymentMethod that was made of it."""
        return self._of.get(name) or self._known.get(name)

    def note(self, payment_method_id: str, card: Card) -> None:
        """Remember what a PaymentMethod was made of."""
        self._of[payment_method_id] = card
