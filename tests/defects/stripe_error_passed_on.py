"""A refusal is answered with the error object of a call to Stripe that went wrong on the way."""

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe

ERROR = {
    "code": "resource_missing",
    "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
    "message": "No such event: 'evt_1'",
    "type": "invalid_request_error",
}


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: JSONResponse({"error": ERROR}, reject(request, cause).status_code)
