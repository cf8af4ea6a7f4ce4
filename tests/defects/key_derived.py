"""The secret without its `whsec_` signs too."""

from tests.defects._planting import also_matches, digest


def plant() -> None:
    also_matches(
        lambda header, body, secret: (
            digest(b"%d." % header.timestamp + body, secret.removeprefix("whsec_")) in header.signatures
        )
    )
