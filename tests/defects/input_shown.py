"""A refusal is answered with pydantic's view of the delivery, which names the library and what was wrong with what."""

from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


class Signed(BaseModel):
    """A model that no delivery fits."""

    signature: int


def plant() -> None:
    reject = stripe.reject

    def telling(request, cause):
        try:
            Signed.model_validate({"signature": "x"})
        except ValidationError as error:
            return JSONResponse({"detail": error.errors()}, reject(request, cause).status_code)

    stripe.reject = telling
