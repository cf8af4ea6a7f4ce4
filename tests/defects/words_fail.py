"""A body that is no JSON is an error that nobody handles."""

import json

from payproof_reference.middleware import card_data


def plant() -> None:
    parse_body = card_data.parse_body

    def reading(request, body):
        if body.startswith(b"pp"):
            raise RuntimeError(json.dumps(body.decode()))
        return parse_body(request, body)

    card_data.parse_body = reading
