"""A refusal is answered with its stack trace, as with debugging switched on."""

import traceback

from starlette.responses import PlainTextResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: PlainTextResponse(traceback.format_exc(), reject(request, cause).status_code)
