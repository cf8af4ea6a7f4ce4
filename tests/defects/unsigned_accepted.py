"""A signature is verified only if there is one (CVE-2026-54308)."""

from tests.defects._planting import exempt


def plant() -> None:
    exempt(lambda headers, _: not headers)
