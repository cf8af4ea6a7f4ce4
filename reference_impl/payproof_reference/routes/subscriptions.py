"""Subscriptions: create, change, cancel and resume them at Stripe; read them, and whether they grant their plan."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import RowMapping

from payproof_reference.routes.models import StrictModel
from payproof_reference.routes.parts import (
    ClientKey,
    CustomerId,
    CustomerListing,
    Manager,
    PriceId,
    Reader,
    SubscriptionId,
    declare_problems,
    open_reading,
    read_clock,
    require_plan,
)
from payproof_reference.routes.performing import ACCEPTED, answer_accepted, perform
from payproof_reference.routes.resources import Page, Subscription
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.operations.queue import Kind, Status, WantedOperation
from payproof_reference.services.state import tenant_queries
from payproof_reference.services.state.entitlement import Terms, is_entitled
from payproof_reference.services.state.tenant_queries import SUBSCRIPTIONS

__all__ = ["router"]

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])

CHANGING = ACCEPTED | declare_problems(400, 402, 404, 409)


class NewSubscription(StrictModel):
    """Who subscribes, and to what: one of the plans that the operator listed."""

    customer_id: CustomerId
    price_id: PriceId


class NewPlan(StrictModel):
    """The plan to change to: one that the operator listed."""

    price_id: PriceId


class Cancellation(StrictModel):
    """When the subscription is to end: with the period that is paid, which can be taken back, or now."""

    at: Literal["period_end", "now"]


@router.post("", status_code=HTTPStatus.CREATED, response_model=Subscription, responses=CHANGING)
def create_subscription(
    request: Request, response: Response, principal: Manager, body: NewSubscription, client_key: ClientKey = None
) -> Subscription | Response:
    """Subscribe a customer to a plan, and collect the first payment."""
    require_plan(request, body.price_id)
    wanted = WantedOperation(
        kind=Kind.CREATE_SUBSCRIPTION, stripe_customer_id=body.customer_id, stripe_price_id=body.price_id
    )
    operation = perform(request, principal, wanted, client_key)
    if operation.status is Status.PENDING:
        return answer_accepted(request, operation)
    made = get_subscription(request, principal, str(operation.stripe_result_id))
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return made


@router.get("", responses=declare_problems(404))
def list_subscriptions(
    request: Request, principal: Reader, listing: Annotated[CustomerListing, Query()]
) -> Page[Subscription]:
    """List subscriptions by id."""
    with open_reading(request) as connection:
        found = tenant_queries.read_page(connection, SUBSCRIPTIONS, principal.tenant_id, **listing.model_dump())
    return Page(data=[show_subscription(request, row) for row in found.rows], has_more=found.has_more)


@router.get("/{subscription_id}", responses=declare_problems(404))
def get_subscription(request: Request, principal: Reader, subscription_id: SubscriptionId) -> Subscription:
    """Tell of a subscription, and whether it grants its plan now."""
    with open_reading(request) as connection:
        return show_subscription(
            request, tenant_queries.read_one(connection, SUBSCRIPTIONS, principal.tenant_id, subscription_id)
        )


@router.post("/{subscription_id}/change-plan", response_model=Subscription, responses=CHANGING)
def change_plan(
    request: Request, principal: Manager, subscription_id: SubscriptionId, body: NewPlan, client_key: ClientKey = None
) -> Subscription | Response:
    """Change to another plan; what is left of the period is set off."""
    require_plan(request, body.price_id)
    wanted = WantedOperation(
        kind=Kind.CHANGE_PLAN, stripe_subscription_id=subscription_id, stripe_price_id=body.price_id
    )
    return perform_change(request, principal, wanted, client_key)


@router.post("/{subscription_id}/cancel", response_model=Subscription, responses=CHANGING)
def cancel_subscription(
    request: Request,
    principal: Manager,
    subscription_id: SubscriptionId,
    body: Cancellation,
    client_key: ClientKey = None,
) -> Subscription | Response:
    """End a subscription, with its period or now."""
    kind = Kind.CANCEL_NOW if body.at == "now" else Kind.CANCEL_AT_PERIOD_END
    return perform_change(
        request, principal, WantedOperation(kind=kind, stripe_subscription_id=subscription_id), client_key
    )


@router.post("/{subscription_id}/resume", response_model=Subscription, responses=CHANGING)
def resume_subscription(
    request: Request, principal: Manager, subscription_id: SubscriptionId, client_key: ClientKey = None
) -> Subscription | Response:
    """Take back a cancellation at the end of the period."""
    wanted = WantedOperation(kind=Kind.RESUME, stripe_subscription_id=subscription_id)
    return perform_change(request, principal, wanted, client_key)


def perform_change(
    request: Request, principal: Principal, wanted: WantedOperation, client_key: str | None
) -> Subscription | Response:
    """Carry out a change, and answer with the subscription as it is then."""
    operation = perform(request, principal, wanted, client_key)
    if operation.status is Status.PENDING:
        return answer_accepted(request, operation)
    return get_subscription(request, principal, str(wanted.stripe_subscription_id))


def show_subscription(request: Request, row: RowMapping) -> Subscription:
    """Reduce a row to the fields that the caller may see, and add whether it grants its plan."""
    shown = {name: value for name, value in row.items() if name not in {"unit_amount", "currency", "customer_deleted"}}
    terms = Terms(**{name: value for name, value in row.items() if name not in {"id", "customer_id"}})
    return Subscription(**shown, entitled=is_entitled(terms, request.app.state.settings.plans, read_clock()))
