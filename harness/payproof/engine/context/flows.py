from collections.abc import Mapping

from payproof.domain.flow import Flow
from payproof.errors import InconclusiveError, Reason
from payproof.registry import nearest
from payproof.stripe.flows import StripeAccount

__all__ = ["CaseFlows"]


class CaseFlows:
    """The payment flows that there are, and the account at Stripe that they are played at."""

    def __init__(self, account: StripeAccount | None, flows: Mapping[str, Flow]) -> None:
        self._account, self._flows = account, flows

    def find(self, name: str) -> Flow:
        """Return a flow by its name; raises InconclusiveError where there is none."""
        if name not in self._flows:
            hint = nearest(name, self._flows)
            raise InconclusiveError(Reason.PREPARATION_FAILED, f"there is no payment flow {name!r}; {hint}")
        return self._flows[name]

    @property
    def account(self) -> StripeAccount:
        """The account; raises InconclusiveError where what answers for Stripe has no state."""
        if self._account is None:
            detail = "the backend of [upstream] is neither the built-in double nor Stripe's test mode"
            raise InconclusiveError(Reason.UPSTREAM_FAILED, detail)
        return self._account
