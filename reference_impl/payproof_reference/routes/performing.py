"""Performs an operation for a route, and answers 202 where it is not done yet."""

import math
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse

from payproof_reference.middleware.refusals import origin_of
from payproof_reference.routes import resources
from payproof_reference.routes.parts import read_clock
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.operations import intake
from payproof_reference.services.operations.queue import OperationRow, Status, WantedOperation
from payproof_reference.services.refusals import Refusal, RefusedError
from payproof_reference.services.stripe.errors import BillingError

__all__ = ["ACCEPTED", "answer_accepted", "perform", "show_operation"]

ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": resources.Operation,
        "description": "Stripe is out of reach, or something else is to be done first: it will be done later.",
        "headers": {
            "Location": {"description": "Where to follow it.", "schema": {"type": "string"}},
            "Retry-After": {"description": "When to look again, in seconds.", "schema": {"type": "integer"}},
        },
    }
}


def perform(request: Request, principal: Principal, wanted: WantedOperation, client_key: str | None) -> OperationRow:
    """Ask for an operation and attempt it; return it as succeeded or pending.

    Raises:
        RefusedError: the service does not take it on, or gave it up when the same request was sent before.
        BillingError: Stripe refused it, now or when the same request was sent before.
    """
    state, origin = request.app.state, origin_of(request)
    taken = intake.accept_operation(
        state.engine,
        state.audit,
        state.settings.credential_key,
        intake.OperationRequest(wanted=wanted, principal=principal, origin=origin, client_key=client_key),
        read_clock(),
    )
    operation: OperationRow = taken.operation
    if taken.is_claimed:
        operation = state.attempts.attempt(operation, origin)
    if operation.status is Status.GIVEN_UP:
        raise RefusedError(Refusal.GIVEN_UP)
    if operation.status is Status.FAILED:
        assert operation.category is not None
        # By the id of the operation the log and the audit log tell the rest.
        raise BillingError(operation.category, reference=operation.operation_id)
    return operation


def answer_accepted(request: Request, operation: OperationRow) -> JSONResponse:
    """Answer that an operation is pending, where to follow it, and when to look again."""
    rest = request.app.state.settings.worker_seconds
    wait = max((operation.next_attempt_at or 0) - read_clock(), math.ceil(rest))
    headers = {
        "Location": str(request.app.url_path_for("get_operation", operation_id=operation.operation_id)),
        "Retry-After": str(wait),
    }
    return JSONResponse(show_operation(operation).model_dump(mode="json"), 202, headers)


def show_operation(operation: OperationRow) -> resources.Operation:
    """Reduce an operation to the fields that its caller may see."""
    return resources.Operation(
        id=operation.operation_id,
        kind=operation.kind,
        status=operation.status,
        category=operation.category,
        customer_id=operation.stripe_customer_id,
        subscription_id=operation.stripe_subscription_id,
        price_id=operation.stripe_price_id,
        payment_intent_id=operation.stripe_payment_intent_id,
        amount=operation.amount,
        result_id=operation.stripe_result_id,
        result_status=operation.result_status,
        attempts=operation.attempts,
        created_at=operation.created_at,
        next_attempt_at=operation.next_attempt_at,
        finished_at=operation.finished_at,
    )
