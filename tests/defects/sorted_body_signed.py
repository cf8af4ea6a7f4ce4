"""Where the bytes do not match, the body is verified again as JSON with its keys sorted, as "canonical" form."""

import json

from payproof_reference.services.events import webhooks
from tests.defects._planting import also_matches


def plant() -> None:
    def in_order(header, body, secret):
        canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
        return webhooks.signature_of(header.timestamp, canonical, secret) in header.signatures

    also_matches(in_order)
