"""A signed body that is no JSON is an error that nobody handles."""

import json

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse = webhooks.parse

    def trusting(body):
        json.loads(body)
        return parse(body)

    webhooks.parse = trusting
