"""The answer names the cause of the refusal: `return str(error)`."""

from starlette.responses import JSONResponse

from reference_impl.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        return JSONResponse({"error": f"Webhook Error: {cause}"}, reject(request, cause).status_code)

    stripe.reject = telling
