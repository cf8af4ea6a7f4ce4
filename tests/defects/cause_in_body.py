"""The answer names the cause of the refusal: `return str(error)`."""

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        return JSONResponse({"error": f"Webhook Error: {cause}"}, reject(request, cause).status_code)

    stripe.reject = telling
