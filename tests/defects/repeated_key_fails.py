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
        content = parse_body(request, body)
        json.loads(body or b"null", object_pairs_hook=once)
        return content

    card_data.parse_body = reading
