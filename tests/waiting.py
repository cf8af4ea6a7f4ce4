"""Waiting for what must come, in tests: by conditions, and with one deadline that is only met where it never comes."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["DEADLINE", "until"]

#: Seconds; what takes one on an idle machine may take twenty beside other work.
DEADLINE = 60
_Found = TypeVar("_Found")


def until(happened: Callable[[], _Found]) -> _Found:
    """Wait until something holds, and return what it gives; fails the test after ``DEADLINE`` seconds."""
    end = time.monotonic() + DEADLINE
    while not (found := happened()):
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.01)
    return found
