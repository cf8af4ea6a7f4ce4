"""A delivery with two signature headers breaks the service: `(header,) = ...` unpacks exactly one."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse_header = webhooks.parse_header

    def read(headers):
        (_,) = headers or [""]
        return parse_header(headers)

    webhooks.parse_header = read
