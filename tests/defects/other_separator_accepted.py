"""A colon between timestamp and body counts as well as the dot, from one verifier for Slack and Stripe."""

from tests.defects._planting import also_matches, digest


def plant() -> None:
    also_matches(lambda header, body, secret: digest(b"%d:" % header.timestamp + body, secret) in header.signatures)
