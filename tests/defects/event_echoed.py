"""The answer to an accepted event repeats it, with the customer's data that it carries."""

import json

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


def plant() -> None:
    accept = stripe.accept

    def echoing(request, event, receipt):
        accept(request, event, receipt)
        return JSONResponse(json.loads(event.model_dump_json()))

    stripe.accept = echoing
