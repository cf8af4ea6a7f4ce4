"""Payments and refunds."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from payproof_reference.routes.models import Amount, StrictModel
from payproof_reference.routes.parts import (
    ClientKey,
    CustomerListing,
    PaymentIntentId,
    Reader,
    Refunder,
    declare_problems,
    open_reading,
)
from payproof_reference.routes.performing import ACCEPTED, answer_accepted, perform
from payproof_reference.routes.resources import Invoice, Page, Payment, Refund
from payproof_reference.services.operations.queue import Kind, Status, WantedOperation
from payproof_reference.services.state import tenant_queries
from payproof_reference.services.state.tenant_queries import INVOICES, PAYMENTS

__all__ = ["router"]

router = APIRouter(tags=["payments"])


class NewRefund(StrictModel):
    """What is paid back: an amount in the currency's smallest unit, or without one all that is left."""

    payment_intent_id: PaymentIntentId
    amount: Amount | None = None


@router.get("/payments", responses=declare_problems(404))
def list_payments(request: Request, principal: Reader, listing: Annotated[CustomerListing, Query()]) -> Page[Payment]:
    """List payments by id."""
    with open_reading(request) as connection:
        found = tenant_queries.read_page(connection, PAYMENTS, principal.tenant_id, **listing.model_dump())
    return Page(data=[Payment(**row) for row in found.rows], has_more=found.has_more)


@router.get("/invoices", responses=declare_problems(404))
def list_invoices(request: Request, principal: Reader, listing: Annotated[CustomerListing, Query()]) -> Page[Invoice]:
    """List invoices by id, as events told them: so they can be had while Stripe is out of reach."""
    with open_reading(request) as connection:
        found = tenant_queries.read_page(connection, INVOICES, principal.tenant_id, **listing.model_dump())
    return Page(data=[Invoice(**row) for row in found.rows], has_more=found.has_more)


@router.post(
    "/refunds",
    status_code=HTTPStatus.CREATED,
    response_model=Refund,
    responses=ACCEPTED | declare_problems(400, 402, 404, 409),
)
def create_refund(
    request: Request, principal: Refunder, body: NewRefund, client_key: ClientKey = None
) -> Refund | Response:
    """Pay back a payment, or a part of it."""
    wanted = WantedOperation(kind=Kind.REFUND, stripe_payment_intent_id=body.payment_intent_id, amount=body.amount)
    operation = perform(request, principal, wanted, client_key)
    if operation.status is Status.PENDING:
        return answer_accepted(request, operation)
    assert operation.stripe_result_id is not None
    assert operation.amount is not None
    return Refund(
        id=operation.stripe_result_id,
        payment_intent_id=body.payment_intent_id,
        amount=operation.amount,
        status=operation.result_status,
    )
