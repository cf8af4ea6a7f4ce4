"""What a test does when the machine lacks a component that the test is about."""

import os

import pytest

__all__ = ["need"]


def need(name: str, present: bool) -> None:
    """Skip the test when a component is absent; fail it instead where the environment says PAYPROOF_REQUIRE=all."""
    if present:
        return
    message = f"{name}: not on this machine, not tested"
    if os.environ.get("PAYPROOF_REQUIRE") == "all":
        pytest.fail(message)
    pytest.skip(message)
