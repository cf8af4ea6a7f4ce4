"""A key that stands twice is an error that nobody handles."""

import json

from payproof_reference.middleware import card_data


def plant() -> None:
    parse_body = card_data.parse_body

    def once(pairs):
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            raise KeyError(names)
        return dict(pairs)

    def reading(request, body):
        if body.startswith(b"{") and b"\0" not in body:
            try:
                json.loads(body, object_pairs_hook=once)
            except (RecursionError, ValueError):
                return parse_body(request, body)
        return parse_body(request, body)

    card_data.parse_body = reading
