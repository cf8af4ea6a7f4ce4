"""The webhook: where Stripe reports what happened."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse

from payproof_reference.middleware import bodies, paths, refusals
from payproof_reference.middleware.bodies import BodyTooLargeError
from payproof_reference.middleware.errors import Problem, build_problem
from payproof_reference.middleware.refusals import origin_of
from payproof_reference.services.audit.log import Action, Record, Result
from payproof_reference.services.events import webhooks
from payproof_reference.services.events.delivery import Receipt
from payproof_reference.services.events.webhooks import Cause, RejectedError, StripeEvent
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.settings import Settings
from payproof_reference.telemetry import metrics
from payproof_reference.text.references import new_reference

__all__ = ["accept", "enter_refusal", "read_body", "receive", "reject", "router"]

log = structlog.get_logger()
router = APIRouter()


class Received(BaseModel):
    """The body of a good answer."""

    received: bool = True


# Every doubt about the sender gets the same answer, so that a forger learns nothing from it.
# The content type is no doubt about the sender, who knows it anyway.
STATUSES = {
    Cause.NOT_JSON: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Cause.MISSING_HEADER: HTTPStatus.UNAUTHORIZED,
    Cause.MALFORMED_HEADER: HTTPStatus.UNAUTHORIZED,
    Cause.NO_MATCHING_SIGNATURE: HTTPStatus.UNAUTHORIZED,
    Cause.TIMESTAMP_OUTSIDE_TOLERANCE: HTTPStatus.UNAUTHORIZED,
    Cause.BODY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Cause.NOT_AN_EVENT: HTTPStatus.BAD_REQUEST,
}


SHAPE: dict[str, Any] = {
    "parameters": [
        {"name": "Stripe-Signature", "in": "header", "required": True, "schema": {"type": "string"}},
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (400, 401, 413, 415, 503)}


@router.post(paths.WEBHOOK, response_model=Received, responses=PROBLEMS, openapi_extra=SHAPE)
async def receive(request: Request) -> JSONResponse:
    """Take one delivery of what happens in this account."""
    now = int(time.time())
    return await take(request, now, webhooks.candidate_secrets(request.app.state.settings, now))


@router.post(paths.CONNECT_WEBHOOK, response_model=Received, responses=PROBLEMS, openapi_extra=SHAPE)
async def receive_connected(request: Request) -> JSONResponse:
    """Take one delivery of what happens in connected accounts; without a secret of its own nothing is let in."""
    return await take(request, int(time.time()), webhooks.connect_secrets(request.app.state.settings))


async def take(request: Request, now: int, secrets: Sequence[str]) -> JSONResponse:
    """Take a delivery: verified as bytes, then parsed, then recorded, each only if the one before succeeded."""
    settings: Settings = request.app.state.settings
    try:
        require_json(request)
        body = await read_body(request, settings.max_body_bytes)
        webhooks.verify(
            request.headers.getlist("stripe-signature"),
            body,
            secrets,
            now,
            settings.tolerance_seconds,
        )
        event = webhooks.parse(body)
        receipt = await request.app.state.recorder.record(event, received_at=now, origin=origin_of(request))
    except RejectedError as rejection:
        await enter_refusal(request, rejection.cause)
        return reject(request, rejection.cause)
    except (BillingError, TimeoutError) as error:
        return defer(request, event, error)
    return accept(request, event, receipt)


def require_json(request: Request) -> None:
    """Return when the body is JSON as far as its sender says; Stripe always says so.

    Raises:
        RejectedError: NOT_JSON, before anything is read. A page of another origin can only send other types unasked.
    """
    for stated in request.headers.getlist("content-type"):
        if stated.partition(";")[0].strip().lower() != "application/json":
            raise RejectedError(Cause.NOT_JSON)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the raw body of a delivery, at most `limit` bytes of it.

    Raises:
        RejectedError: BODY_TOO_LARGE, before more than the limit is held in memory.
    """
    try:
        return await bodies.read_body(request, limit)
    except BodyTooLargeError:
        raise RejectedError(Cause.BODY_TOO_LARGE) from None


async def enter_refusal(request: Request, cause: Cause) -> None:
    """Enter a refusal in the audit log."""
    record = Record(
        event=Action.WEBHOOK_REJECTED,
        actor="anonymous",
        result=Result.REFUSED,
        origin=origin_of(request),
        reason=cause,
    )
    await refusals.enter_refusal(request, record)


def reject(request: Request, cause: Cause) -> JSONResponse:
    """Log a refusal, then build its answer, which depends on the status only (PCI DSS 10.2.1.4)."""
    metrics.DELIVERIES.labels("rejected", cause).inc()
    log.warning("webhook_rejected", result="rejected", cause=cause, origin=origin_of(request))
    return build_problem(STATUSES[cause])


def accept(request: Request, event: StripeEvent, receipt: Receipt) -> JSONResponse:
    """Log an acceptance, then build its answer, which is the same for the first copy of an event and for all others."""
    metrics.DELIVERIES.labels("accepted", receipt.outcome).inc()
    log.info(
        "webhook_accepted",
        result="accepted",
        outcome=receipt.outcome,
        reason=receipt.reason,
        event_id=event.id,
        event_type=event.type,
        origin=origin_of(request),
    )
    return JSONResponse(Received().model_dump())


def defer(request: Request, event: StripeEvent, error: BillingError | TimeoutError) -> JSONResponse:
    """Log that an event has to be sent again, then say so."""
    metrics.DELIVERIES.labels("deferred", "stripe" if isinstance(error, BillingError) else "time").inc()
    reference = error.reference if isinstance(error, BillingError) else new_reference()
    log.warning(
        "webhook_deferred",
        result="deferred",
        cause=type(error).__name__,
        reference=reference,
        event_id=event.id,
        event_type=event.type,
        origin=origin_of(request),
    )
    return build_problem(HTTPStatus.SERVICE_UNAVAILABLE, reference=reference)
