"""Reads JSON in one way only, so that what was checked is what is used."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["parse"]


def parse(body: bytes, *, fraction: Callable[[str], Any] = float) -> Any:
    """Read a JSON document.

    Args:
        body: as it came.
        fraction: reads a number with a fraction or an exponent; `str` keeps all of its digits.

    Raises:
        ValueError: it is none, or parsers differ on what it says: bad UTF-8, a byte order mark, a key that occurs
            twice, NaN, bottomless nesting. The text quotes nothing of it.
    """
    try:
        # Decoded here because json.loads guesses UTF-16 and UTF-32 from bytes.
        return json.loads(
            body.decode(), object_pairs_hook=build_unambiguous, parse_float=fraction, parse_constant=refuse_constant
        )
    except (ValueError, RecursionError):
        raise ValueError("not a JSON document") from None


def build_unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object, refusing a key that occurs twice: parsers differ on which of the two counts."""
    built = dict(pairs)
    if len(built) != len(pairs):
        raise ValueError("a key occurs twice")
    return built


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which are no JSON."""
    raise ValueError(f"{name} is not JSON")
