"""An event without data is one of the API's version 2, for which nobody has written anything."""

import json

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse = webhooks.parse

    def parse_snapshot(body):
        if json.loads(body).get("object") == "v2.core.event":
            raise NotImplementedError("thin events")
        return parse(body)

    webhooks.parse = parse_snapshot
