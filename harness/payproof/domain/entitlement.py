"""What a target gives to those who pay, how it can be seen, and which events give it and take it away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from payproof.domain.operation import Price, Principal
from payproof.domain.subject import PREFIXES

__all__ = ["PLACEHOLDERS", "Beneficiary", "Entitlement", "OtherBeneficiary"]

#: Whose entitlement is looked at: that of the subject, or of somebody else.
Beneficiary = Literal["subject", "other"]

#: What may stand in braces where a row or a request is described, with the prefix of Stripe's id that it stands for.
PLACEHOLDERS: Mapping[str, str] = {**PREFIXES, "session": "cs", "refund": "re", "dispute": "dp"}


@dataclass(frozen=True, slots=True)
class OtherBeneficiary:
    """Somebody else, whom no event about the subject may give anything.

    ``metadata`` and ``reference`` are the texts by which the target may take an event for one about them, ``customer``
    is their own at Stripe. ``where`` are their row's values, and ``principal`` is who asks for them.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    customer: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Something that a target gives to those who pay, and how it is seen that somebody has it.

    It is seen in the ``column`` (``users.plan``) of the row that holds the values of ``where``, or by a request: by
    what stands at a ``place`` of its JSON answer, or without one by whether it succeeds. ``granted`` are the texts that
    say that it is given, with ``*`` for any text. Texts may hold ``{customer}`` and the like for the ids of the
    events. ``after`` are operations that must have been performed before.

    ``grants`` are the types of events that give it, all of them in their order, with the values ``set`` at dotted paths
    where a type has these; ``revokes`` are those that take it away. ``price`` is the id of what is paid for, and
    ``cost`` its amount. ``success`` is the path of the page to which a customer returns from Checkout.
    """

    name: str
    grants: tuple[str, ...]
    revokes: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    column: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    method: str = ""
    path: str = ""
    body: Mapping[str, Any] | None = None
    place: str = ""
    principal: Principal | None = None
    after: tuple[str, ...] = ()
    set: Mapping[str, Any] = field(default_factory=dict)
    price: str = ""
    cost: Price | None = None
    success: str = ""
    other: OtherBeneficiary | None = None

    @property
    def is_of_checkout(self) -> bool:
        """Whether the end of a Checkout gives it."""
        return "checkout.session.completed" in self.grants

    def principal_of(self, whose: Beneficiary) -> Principal | None:
        """Return who asks for it."""
        return self.other.principal if whose == "other" and self.other is not None else self.principal

    def where_of(self, whose: Beneficiary) -> Mapping[str, str]:
        """Return the values of the row that shows it."""
        return self.other.where if whose == "other" and self.other is not None else self.where
