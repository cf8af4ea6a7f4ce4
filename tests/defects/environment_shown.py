"""A refusal is answered with names from the environment of the process, left over from a search for a fault."""

import os

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject
    shown = {name: "..." for name in os.environ if name.startswith("BILLING_")} | {"PATH": "/usr/local/bin:/usr/bin"}
    stripe.reject = lambda request, cause: JSONResponse({"environment": shown}, reject(request, cause).status_code)
