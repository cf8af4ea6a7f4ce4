"""Shared by the routes of billing: permissions, parameters and declared errors."""

import time
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from pydantic import Field
from sqlalchemy import Connection

from payproof_reference.middleware.access import require_permission
from payproof_reference.middleware.errors import Problem
from payproof_reference.routes.models import (
    AnyId,
    CheckoutSessionId,
    CustomerId,
    OperationId,
    PaymentIntentId,
    PriceId,
    StrictModel,
    SubscriptionId,
)
from payproof_reference.services.identity.roles import Permission, Principal
from payproof_reference.services.refusals import Refusal, RefusedError

__all__ = [
    "AnyId",
    "Auditor",
    "CheckoutSessionId",
    "ClientKey",
    "CustomerId",
    "CustomerListing",
    "Listing",
    "Manager",
    "Moment",
    "OperationId",
    "PaymentIntentId",
    "PriceId",
    "Reader",
    "Refunder",
    "SubscriptionId",
    "Whole",
    "declare_problems",
    "name_of",
    "open_reading",
    "read_clock",
    "require_plan",
]

Reader = Annotated[Principal, Depends(require_permission(Permission.READ_BILLING))]
Manager = Annotated[Principal, Depends(require_permission(Permission.MANAGE_BILLING))]
Refunder = Annotated[Principal, Depends(require_permission(Permission.REFUND))]
Auditor = Annotated[Principal, Depends(require_permission(Permission.READ_AUDIT))]

ClientKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="Makes a repetition of the request, also after a lost answer, the same operation.",
        examples=["c5b8cb30-5c3e-4f0e-9d0c-1f5e9b1f9e34"],
    ),
]
# A query is text, which strict models would not take for a number.
Whole = Annotated[int, Field(strict=False)]
Moment = Annotated[Whole, Field(ge=0, lt=10**11)]


class Listing(StrictModel):
    """Which part of a list is asked for."""

    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    starting_after: AnyId | None = None


class CustomerListing(Listing):
    """Which part of a list, of one customer's or of all."""

    customer_id: CustomerId | None = None


def open_reading(request: Request) -> Connection:
    """Open a connection that only reads, to be used as a context."""
    connection: Connection = request.app.state.engine.connect()
    return connection.execution_options(read_only=True)


def require_plan(request: Request, price_id: str) -> None:
    """Return only when the operator listed a price.

    Raises:
        RefusedError: UNKNOWN_PLAN. What is not listed would be charged and grant nothing.
    """
    if price_id not in request.app.state.settings.plans:
        raise RefusedError(Refusal.UNKNOWN_PLAN)


def read_clock() -> int:
    """Tell the time in seconds since the epoch."""
    return int(time.time())


def declare_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare which errors a route answers, beside those that any of them can."""
    always = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
    return {int(status): {"model": Problem} for status in sorted({*statuses, *always, HTTPStatus.SERVICE_UNAVAILABLE})}


def name_of(route: Any) -> str:
    """Name an operation of the OpenAPI document after its function."""
    return str(route.name)
