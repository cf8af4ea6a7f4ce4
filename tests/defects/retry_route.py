"""A route for repeating failed events takes them without a signature (congressMCP#10)."""

from tests.defects._planting import HOOK, unverified_route


def plant() -> None:
    unverified_route(f"{HOOK}/retry")
