"""What a test does when the machine lacks a component that the test is about."""

import os

import pytest

__all__ = ["need"]


def need(name: str, present: bool) -> None:
    """Skip the test when a component is absent; fail it instead where the environment says PAYPROOF_REQUIRE=all.

    A machine that can never have a component names it in PAYPROOF_WITHOUT, in words, apart by commas.
    """
    if present:
        return
    message = f"{name}: not on this machine, not tested"
    if os.environ.get("PAYPROOF_REQUIRE") == "all" and name not in os.environ.get("PAYPROOF_WITHOUT", "").split(","):
        pytest.fail(message)
    pytest.skip(message)
