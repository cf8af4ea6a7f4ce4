"""Names in the header are compared without regard to case, so that `V1` counts as `v1`."""

from tests.defects._planting import rewrite_header


def plant() -> None:
    rewrite_header(str.lower)
