"""The secret is decoded from base64 as well, which is how Standard Webhooks makes its keys and Stripe does not."""

import base64

from tests.defects._planting import also_matches, digest


def plant() -> None:
    also_matches(
        lambda header, body, secret: (
            digest(b"%d." % header.timestamp + body, base64.b64decode(secret.removeprefix("whsec_")))
            in header.signatures
        )
    )
