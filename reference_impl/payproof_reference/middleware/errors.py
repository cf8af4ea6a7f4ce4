"""Generic answers to errors: they hold nothing of the request and nothing of the service's inside (CWE-209)."""

from http import HTTPStatus

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payproof_reference.services.audit.log import AuditBrokenError
from payproof_reference.services.refusals import Refusal, RefusedError
from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.text.references import new_reference

__all__ = [
    "Problem",
    "UnhandledErrors",
    "build_problem",
    "on_billing_error",
    "on_http_error",
    "on_invalid_request",
    "on_refusal",
]

log = structlog.get_logger()

MESSAGES = {
    HTTPStatus.BAD_REQUEST: "The request could not be understood.",
    HTTPStatus.UNAUTHORIZED: "The request could not be verified.",
    HTTPStatus.FORBIDDEN: "The request is not permitted.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The method is not allowed here.",
    HTTPStatus.CONFLICT: "The request does not fit the present state.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too large.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address is too long.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The service takes JSON only.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request could not be processed.",
    HTTPStatus.TOO_MANY_REQUESTS: "There were too many requests.",
    HTTPStatus.BAD_GATEWAY: "The payment provider did not answer as expected.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The service is not available at the moment.",
}

REFUSALS = {
    Refusal.NOT_FOUND: (HTTPStatus.NOT_FOUND, MESSAGES[HTTPStatus.NOT_FOUND]),
    Refusal.UNKNOWN_PLAN: (HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such plan."),
    Refusal.NOT_REFUNDABLE: (HTTPStatus.UNPROCESSABLE_ENTITY, "So much cannot be refunded of this payment."),
    # The status that draft-ietf-httpapi-idempotency-key-header asks for; the code tells it from other refusals.
    Refusal.KEY_REUSED: (HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request."),
    # To ask again could mean to pay twice.
    Refusal.GIVEN_UP: (HTTPStatus.CONFLICT, "The operation was given up. Please contact support before you repeat it."),
}
# That Stripe limits this service, or refuses its key, is no fault of the caller's.
CATEGORIES = {
    Category.CARD_DECLINED: HTTPStatus.PAYMENT_REQUIRED,
    Category.INVALID_REQUEST: HTTPStatus.UNPROCESSABLE_ENTITY,
    Category.RATE_LIMITED: HTTPStatus.SERVICE_UNAVAILABLE,
    Category.TEMPORARILY_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Category.CONFIGURATION: HTTPStatus.SERVICE_UNAVAILABLE,
}


class ProblemDetail(BaseModel):
    """The public part of an error; the reference leads to the log line with the rest."""

    code: str
    message: str
    reference: str | None = None


class Problem(BaseModel):
    """The body of every answer that is an error."""

    error: ProblemDetail


def build_problem(status: int, *, reference: str | None = None, headers: dict[str, str] | None = None) -> JSONResponse:
    """Build the answer to an error from its status alone."""
    known = HTTPStatus(status)
    detail = ProblemDetail(
        code=known.phrase.lower().replace(" ", "_"),
        message=MESSAGES.get(known, "The request failed."),
        reference=reference,
    )
    return build_answer(status, detail, headers)


def build_answer(status: int, detail: ProblemDetail, headers: dict[str, str] | None = None) -> JSONResponse:
    """Build the answer to an error."""
    return JSONResponse(Problem(error=detail).model_dump(exclude_none=True), status, headers)


async def on_http_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer 404, 405 and the like; `Allow` stays, the detail does not."""
    assert isinstance(error, HTTPException)
    return build_problem(error.status_code, headers=dict(error.headers or {}))


async def on_invalid_request(_request: Request, _error: Exception) -> JSONResponse:
    """Answer 422 without the echo of the input that FastAPI would send."""
    return build_problem(HTTPStatus.UNPROCESSABLE_ENTITY)


async def on_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Answer what this service refuses itself."""
    assert isinstance(error, RefusedError)
    status, message = REFUSALS[error.refusal]
    log.info("request_refused", refusal=error.refusal)
    return build_answer(status, ProblemDetail(code=error.refusal, message=message))


async def on_billing_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer what failed at Stripe, in the words of its category."""
    assert isinstance(error, BillingError)
    detail = ProblemDetail(code=error.category, message=error.message, reference=error.reference)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    return build_answer(CATEGORIES[error.category], detail, headers)


class UnhandledErrors:
    """ASGI middleware that turns what nobody handled into one log line and a generic 500, or 503 for the database."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer it here when that fails before an answer has begun."""
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            log.info("client_disconnected", path=scope["path"])
        except Exception as error:  # noqa: BLE001 - the last place where an exception can be kept from the outside
            reference = new_reference()
            status = self.note(error, reference)
            if not started:
                await build_problem(status, reference=reference)(scope, receive, send)

    def note(self, error: Exception, reference: str) -> HTTPStatus:
        """Log an error under its reference and choose the status."""
        if isinstance(error, SQLAlchemyError):
            # The driver's name for the error, such as SQLITE_BUSY; its text may hold the statement and the path.
            cause = getattr(error, "orig", None)
            name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
            log.error("database_failed", reference=reference, database_error=name, exc_info=error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        if isinstance(error, AuditBrokenError):
            # Nothing is done unrecorded. Stripe sends again; an operator has to look.
            log.critical("audit_broken", reference=reference)
            return HTTPStatus.SERVICE_UNAVAILABLE
        log.error("unhandled_exception", reference=reference, exc_info=error)
        return HTTPStatus.INTERNAL_SERVER_ERROR
