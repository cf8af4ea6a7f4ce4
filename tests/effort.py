"""How many examples property tests take: a tenth, or all with PAYPROOF_EFFORT=full as `make thorough` says."""

import os

__all__ = ["examples"]

_PART = 1 if os.environ.get("PAYPROOF_EFFORT") == "full" else 10
_LEAST = 10


def examples(number: int) -> int:
    """Return how many of so many examples are taken."""
    return max(min(number, _LEAST), number // _PART)
