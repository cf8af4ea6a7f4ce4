"""Customers: an id at Stripe, and the tenant that owns it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from payproof_reference.routes.models import StrictModel
from payproof_reference.routes.parts import (
    ClientKey,
    CustomerId,
    Listing,
    Manager,
    Reader,
    declare_problems,
    open_reading,
)
from payproof_reference.routes.performing import ACCEPTED, answer_accepted, perform
from payproof_reference.routes.resources import Customer, Page
from payproof_reference.services.operations.queue import Kind, Status, WantedOperation
from payproof_reference.services.state import tenant_queries
from payproof_reference.services.state.tenant_queries import CUSTOMERS

__all__ = ["router"]

router = APIRouter(prefix="/customers", tags=["customers"])


class Nothing(StrictModel):
    """An empty object: of a customer, everything but the id is personal, and not for this service."""


@router.post(
    "", status_code=HTTPStatus.CREATED, response_model=Customer, responses=ACCEPTED | declare_problems(400, 402, 409)
)
def create_customer(
    request: Request,
    response: Response,
    principal: Manager,
    _body: Annotated[Nothing | None, Body(title="Nothing")] = None,
    client_key: ClientKey = None,
) -> Customer | Response:
    """Create a customer at Stripe."""
    operation = perform(request, principal, WantedOperation(kind=Kind.CREATE_CUSTOMER), client_key)
    if operation.status is Status.PENDING:
        return answer_accepted(request, operation)
    made = get_customer(request, principal, str(operation.stripe_result_id))
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return made


@router.get("", responses=declare_problems())
def list_customers(request: Request, principal: Reader, listing: Annotated[Listing, Query()]) -> Page[Customer]:
    """List customers by id."""
    with open_reading(request) as connection:
        found = tenant_queries.read_page(
            connection,
            CUSTOMERS,
            principal.tenant_id,
            limit=listing.limit,
            starting_after=listing.starting_after,
        )
    return Page(data=[Customer(**row) for row in found.rows], has_more=found.has_more)


@router.get("/{customer_id}", responses=declare_problems(404))
def get_customer(request: Request, principal: Reader, customer_id: CustomerId) -> Customer:
    """Tell of a customer."""
    with open_reading(request) as connection:
        return Customer(**tenant_queries.read_one(connection, CUSTOMERS, principal.tenant_id, customer_id))
