from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.grant import Having, choose_entitlement, find_entitlement
from payproof.stripe.purchases import deliver_about

__all__ = ["ReportPayment"]


@step
@dataclass(frozen=True, slots=True)
class ReportPayment(Step):
    """Deliver further events about the payment for an entitlement: that it came, is paid back or disputed.

    ``events`` are their types, in their order. All are about the same charge, invoice and customer as what was
    delivered before.
    """

    name: ClassVar[str] = "report_payment"
    having: Having = ""
    events: tuple[str, ...] = ("payment_intent.succeeded", "charge.succeeded", "invoice.paid")

    @property
    def named_types(self) -> tuple[str, ...]:
        """The types of ``events``."""
        return self.events

    def unfit(self, target: Target) -> Gap | None:
        """Return that no entitlement of the target file tells what is needed."""
        return choose_entitlement(target, self.having)[1]

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Deliver one after the other."""
        entitlement = find_entitlement(context, self.having)
        return [await deliver_about(context, entitlement, type_, "subject") for type_ in self.events]
