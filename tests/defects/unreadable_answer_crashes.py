"""An answer of Stripe's that is no JSON ends in an unhandled exception."""

import json

from payproof_reference.services.stripe import sdk


def plant() -> None:
    reduced = sdk.reduce_answer

    def trusting(status, headers, body):
        json.loads(body)["id" if status < 400 else "error"]
        return reduced(status, headers, body)

    sdk.reduce_answer = trusting
