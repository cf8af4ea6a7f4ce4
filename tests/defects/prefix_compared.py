"""A signature counts when the right one starts with it (CVE-2024-21491)."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import also_matches


def plant() -> None:
    also_matches(
        lambda header, body, secret: any(
            given and webhooks.signature_of(header.timestamp, body, secret).startswith(given)
            for given in header.signatures
        )
    )
