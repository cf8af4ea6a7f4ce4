"""A signature is cut to 64 digits before it is compared, so that anything may follow them."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import also_matches


def plant() -> None:
    also_matches(
        lambda header, body, secret: (
            webhooks.signature_of(header.timestamp, body, secret) in {given[:64] for given in header.signatures}
        )
    )
