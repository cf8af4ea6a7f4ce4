"""The event of zeros that Stripe's dashboard once sent as a test is taken without a signature."""

from tests.defects._planting import exempt


def plant() -> None:
    exempt(lambda _, body: b'"evt_00000000000000"' in body)
