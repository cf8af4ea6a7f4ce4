from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.entitlement import Entitlement
from payproof.domain.observation import ABSENT, Answer, Exchange
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import make_request
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step
from payproof.steps.grant import Having, choose_entitlement, find_entitlement, know_about
from payproof.stripe.purchases import names_of

__all__ = ["ReturnFromCheckout"]

_FAILURE = 500
_UNPAID: Mapping[str, object] = {"status": "open", "payment_status": "unpaid"}


@step
@dataclass(frozen=True, slots=True)
class ReturnFromCheckout(Step):
    """Open the page to which Checkout leads back, as the one who would have paid.

    The session that its address names is one that Stripe knows as open and unpaid, and of which no event has come.
    With ``paid`` it is the one that was delivered before, and the page must be there.
    """

    name: ClassVar[str] = "return_from_checkout"
    having: Having = "success"
    paid: bool = False

    def unfit(self, target: Target) -> Gap | None:
        """Return that no entitlement of the target file names that page."""
        return choose_entitlement(target, self.having)[1]

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Have Stripe know an unpaid session, unless it is paid, then ask for the page.

        Raises:
            InconclusiveError: there is no such page, or it fails, though the session is paid.
        """
        entitlement = find_entitlement(context, self.having)
        before = () if self.paid else await know_about(context, entitlement, "checkout.session.completed", _UNPAID)
        exchange = await context.send(_make_request(context, entitlement))
        answer = exchange.answer
        if self.paid and isinstance(answer, Answer) and (answer.status in ABSENT or answer.status >= _FAILURE):
            detail = (
                f"the page of success of entitlement {entitlement.name} was answered {answer.status} to one who paid"
            )
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        return [*before, exchange]


def _make_request(context: Context, entitlement: Entitlement) -> Request:
    page = Operation("success", "GET", entitlement.success, "", entitlement.principal)
    request = make_request(context.target, page, names_of(context, entitlement, "subject"))
    return replace(request, headers=((b"Accept", b"*/*"), *request.headers[1:]), note="opens the page of success")
