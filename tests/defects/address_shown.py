"""A refusal is reported to a service that does not answer, and the answer names that service's address."""

import psycopg
from starlette.responses import JSONResponse

from payproof_reference.routes import stripe

NOBODY = "postgresql://billing@127.0.0.1:9/billing"


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        try:
            psycopg.connect(NOBODY)
        except psycopg.OperationalError as error:
            return JSONResponse({"error": str(error)}, reject(request, cause).status_code)

    stripe.reject = telling
