"""HMAC-SHA1 counts as well, left over from an older sender."""

from tests.defects._planting import also_matches, digest


def plant() -> None:
    also_matches(
        lambda header, body, secret: digest(b"%d." % header.timestamp + body, secret, "sha1") in header.signatures
    )
