"""A refusal looks for a file that is not there, and is answered with its path."""

from pathlib import Path

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        try:
            Path("/srv/billing/keys/webhook.pem").read_bytes()
        except OSError as error:
            return JSONResponse({"error": str(error)}, reject(request, cause).status_code)

    stripe.reject = telling
