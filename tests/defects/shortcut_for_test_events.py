"""An event whose id starts with `evt_test_` is taken without a signature (Hire-AI#87)."""

from tests.defects._planting import exempt


def plant() -> None:
    exempt(lambda _, body: b'"evt_test_' in body)
