"""The `v0` of test deliveries counts as a signature, which is the downgrade that Stripe warns of."""

from tests.defects._planting import rewrite_header


def plant() -> None:
    rewrite_header(lambda header: header.replace(",v0=", ",v1="))
