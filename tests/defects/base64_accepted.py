"""A signature in base64 is compared as well, as other senders of webhooks use it."""

import base64

from payproof_reference.services.events import webhooks
from tests.defects._planting import also_matches


def plant() -> None:
    def in_base64(header, body, secret):
        right = bytes.fromhex(webhooks.signature_of(header.timestamp, body, secret))
        return base64.b64encode(right).decode() in header.signatures

    also_matches(in_base64)
