"""The header is read into a dictionary, so only the last `v1` is compared (decocms#5156)."""

from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import SignatureHeader


def plant() -> None:
    matches = webhooks.matches
    webhooks.matches = lambda header, body, secrets: matches(
        SignatureHeader(header.timestamp, header.signatures[-1:]), body, secrets
    )
