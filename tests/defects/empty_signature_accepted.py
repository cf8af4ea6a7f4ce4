"""Characters are compared by `zip`, which ends with the shorter text, so that an empty signature matches all."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import also_matches


def plant() -> None:
    also_matches(
        lambda header, body, secret: any(
            not given
            for given in header.signatures
            if all(a == b for a, b in zip(webhooks.signature_of(header.timestamp, body, secret), given, strict=False))
        )
    )
