"""What the reference service gives to those who pay, and how it shows that: a plan, and what was bought once."""

from collections.abc import Mapping

from payproof.domain.entitlement import Entitlement, OtherBeneficiary
from payproof.domain.operation import Price, Principal

__all__ = ["describe_entitlements"]


def describe_entitlements(
    principals: Mapping[str, Principal], tenants: Mapping[str, str], price: str, cost: Price
) -> Mapping[str, Entitlement]:
    """Return them by their names; ``tenants`` are those of the principals, and ``price`` is that of the plan."""
    manager, stranger = principals["manager"], principals["stranger"]
    session = "/v1/checkout-sessions/{session}"
    plan = Entitlement(
        "plan",
        grants=("customer.subscription.created",),
        revokes=("customer.subscription.deleted",),
        method="GET",
        path="/v1/subscriptions/{subscription}",
        place="entitled",
        granted=("true",),
        principal=manager,
        after=("create_customer",),
        price=price,
        cost=cost,
        other=OtherBeneficiary(metadata={"tenant_id": tenants["stranger"]}, principal=stranger),
    )
    purchase = Entitlement(
        "purchase",
        grants=("checkout.session.completed",),
        method="GET",
        path=session,
        place="payment_status",
        granted=("paid", "no_payment_required"),
        principal=manager,
        after=("create_customer",),
        price=price,
        cost=cost,
        success=session,
    )
    return {one.name: one for one in (plan, purchase)}
