"""The answer to a refusal is what Stripe said, word for word."""

import json
from contextvars import ContextVar

from payproof_reference.services.stripe import sdk
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.errors import BillingError


def plant() -> None:
    said = ContextVar("said", default="")
    reduced, refuse = sdk.reduce_answer, Caller._refuse

    def keeping(status, headers, body):
        if status >= 400:
            said.set(json.loads(body)["error"]["message"])
        return reduced(status, headers, body)

    def telling(self, operation, attempts, failure):
        try:
            refuse(self, operation, attempts, failure)
        except BillingError as error:
            error.message = said.get()
            raise

    sdk.reduce_answer, Caller._refuse = keeping, telling
