"""The sender chooses the hash by the length of the signature, so that 128 digits are verified as HMAC-SHA512."""

from tests.defects._planting import also_matches, digest


def plant() -> None:
    also_matches(
        lambda header, body, secret: digest(b"%d." % header.timestamp + body, secret, "sha512") in header.signatures
    )
