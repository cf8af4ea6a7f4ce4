"""The body is parsed, written as JSON again and verified so, as where `bodyParser.json()` took it (stripe-node#341)."""

import json

from payproof_reference.services.events import webhooks


def plant() -> None:
    verify = webhooks.verify
    webhooks.verify = lambda headers, body, *rest: verify(
        headers, json.dumps(json.loads(body), ensure_ascii=False, indent=2).encode(), *rest
    )
