"""The body is parsed and written again by `json.dumps`, which escapes all beyond ASCII (stripe-python#424)."""

import json

from payproof_reference.services.events import webhooks


def plant() -> None:
    verify = webhooks.verify
    webhooks.verify = lambda headers, body, *rest: verify(
        headers, json.dumps(json.loads(body), indent=2).encode(), *rest
    )
