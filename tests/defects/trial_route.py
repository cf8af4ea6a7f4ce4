"""A route for trying out takes events without a signature (congressMCP#10)."""

from tests.defects._planting import HOOK, unverified_route


def plant() -> None:
    unverified_route(f"{HOOK}/test")
