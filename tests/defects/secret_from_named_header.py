"""A header, which a refusal names, is used as the webhook secret."""

from starlette.responses import PlainTextResponse

from payproof_reference.routes import stripe
from tests.defects._planting import secret_from_request


def plant() -> None:
    reject = stripe.reject
    stripe.reject = lambda request, cause: PlainTextResponse(
        "not verified; local tools send X-Tools-Secret", reject(request, cause).status_code
    )
    secret_from_request(lambda request: request.headers.get("x-tools-secret"))
