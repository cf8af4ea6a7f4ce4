"""Only the first 32 digits are compared, as where the column that keeps them is that short."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import also_matches


def plant() -> None:
    also_matches(
        lambda header, body, secret: (
            webhooks.signature_of(header.timestamp, body, secret)[:32] in {given[:32] for given in header.signatures}
        )
    )
