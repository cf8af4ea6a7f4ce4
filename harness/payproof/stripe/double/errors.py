"""The errors that the double answers with, in Stripe's words."""

from collections.abc import Mapping
from typing import Any

__all__ = ["ApiError", "invalid", "missing", "unexpected_state"]

_DOCUMENTATION = "https://docs.stripe.com/error-codes#"


class ApiError(Exception):
    """A call that ends in an error; ``began`` says whether execution had begun, so that its key keeps the result."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        began: bool = True,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.began = began
        self.error: dict[str, Any] = {}
        if code is not None:
            self.error |= {"code": code, "doc_url": _DOCUMENTATION + code.replace("_", "-")}
        self.error |= {"message": message} | ({} if param is None else {"param": param}) | dict(more or {})
        self.error["type"] = kind


def invalid(
    message: str, *, code: str | None = None, param: str | None = None, status: int = 400, began: bool = True
) -> ApiError:
    """Return an ``invalid_request_error``."""
    return ApiError(status, "invalid_request_error", message, code=code, param=param, began=began)


def missing(what: str, object_id: str, param: str = "id", *, status: int = 404) -> ApiError:
    """Return the error for an object that there is not: 404 where the path names it, 400 where a parameter does."""
    return invalid(f"No such {what}: '{object_id}'", code="resource_missing", param=param, status=status)


def unexpected_state(intent: Mapping[str, Any], doing: str, allowed: str) -> ApiError:
    """Return the error for a PaymentIntent whose status does not allow what was asked."""
    message = (
        f"You cannot {doing} this PaymentIntent because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of the following statuses may be used here: {allowed}."
    )
    return ApiError(
        400,
        "invalid_request_error",
        message,
        code="payment_intent_unexpected_state",
        more={"payment_intent": intent},
    )
