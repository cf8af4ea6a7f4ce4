"""A body that is said to be compressed is unpacked on arrival, and one that is not compressed fails."""

import gzip

from payproof_reference.middleware import card_data


def plant() -> None:
    parsed = card_data.parse_body

    def unpacking(request, body):
        if request.headers.get("content-encoding") == "gzip":
            gzip.decompress(body)
        return parsed(request, body)

    card_data.parse_body = unpacking
