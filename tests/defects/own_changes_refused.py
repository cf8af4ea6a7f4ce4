"""Events of what the service itself asked of Stripe are refused, so that Stripe repeats them for days."""

import json

from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import Cause, RejectedError


def plant() -> None:
    verify = webhooks.verify

    def refusing(headers, body, *rest):
        verify(headers, body, *rest)
        if (json.loads(body).get("request") or {}).get("idempotency_key"):
            raise RejectedError(Cause.NOT_AN_EVENT)

    webhooks.verify = refusing
