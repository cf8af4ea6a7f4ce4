"""Timestamps that are no plain number or stand twice, signed so that a lenient reader finds its reading signed."""

from collections.abc import Callable

from payproof.stripe.forgery import Delivery, Forgery, Material, deliver, signature_of
from payproof.stripe.signature import compose

__all__ = ["FORGERIES"]

_PYTHON = frozenset({"python"})
_NODE = frozenset({"node"})
_STALE = 3600
_FULL_WIDTH = {digit: 0xFF10 - 0x30 + digit for digit in range(0x30, 0x3A)}


def _write_time(
    case: str,
    summary: str,
    write: Callable[[int], str],
    *,
    reads_as_now: bool = False,
    sdk_accepts: frozenset[str] = frozenset(),
) -> Forgery:
    """Declare a way to write a timestamp; where a lenient parser reads now in it, that reading is signed as well."""

    def forge(material: Material) -> Delivery:
        text = write(material.now)
        readings: list[int | str] = [text, material.now] if reads_as_now else [text]
        return deliver(material, compose(text, [signature_of(material, timestamp=reading) for reading in readings]))

    return Forgery(f"malformed_timestamp.{case}", summary, forge, sdk_accepts=sdk_accepts)


def _twice(case: str, summary: str, *, stale_first: bool, signed_stale: bool, sdk_accepts: frozenset[str]) -> Forgery:
    def forge(material: Material) -> Delivery:
        stale, fresh = material.now - _STALE, material.now
        first, second = (stale, fresh) if stale_first else (fresh, stale)
        signature = signature_of(material, timestamp=stale if signed_stale else fresh)
        return deliver(material, f"t={first}," + compose(second, [signature]))

    return Forgery(f"two_timestamps.{case}", summary, forge, sdk_accepts=sdk_accepts)


FORGERIES = (
    _write_time("letters", "The timestamp is `abc`.", lambda _: "abc"),
    _write_time(
        "fraction",
        "The timestamp is now and a half second.",
        lambda now: f"{now}.5",
        reads_as_now=True,
        sdk_accepts=_NODE,
    ),
    # stripe-node reads NaN and signs the text `NaN`; no age that is not a number is over its tolerance.
    _write_time("nan", "The timestamp is `NaN`, which is neither old nor new.", lambda _: "NaN", sdk_accepts=_NODE),
    _write_time("inf", "The timestamp is `inf`.", lambda _: "inf"),
    _write_time("negative", "The timestamp is -1.", lambda _: "-1"),
    _write_time("digits_5000", "The timestamp has 5,000 digits.", lambda _: "9" * 5000),
    _write_time("two_31", "The timestamp is 2^31.", lambda _: str(2**31), sdk_accepts=_PYTHON | _NODE),
    _write_time("two_63", "The timestamp is 2^63.", lambda _: str(2**63), sdk_accepts=_PYTHON),
    _write_time(
        "plus",
        "The timestamp is now with a plus sign.",
        lambda now: f"+{now}",
        reads_as_now=True,
        sdk_accepts=_PYTHON | _NODE,
    ),
    _write_time(
        "leading_zeros",
        "The timestamp is now with three zeros before it.",
        lambda now: f"000{now}",
        reads_as_now=True,
        sdk_accepts=_PYTHON | _NODE,
    ),
    _write_time(
        "underscore",
        "The timestamp is now with underscores between thousands.",
        lambda now: f"{now:_}",
        reads_as_now=True,
        sdk_accepts=_PYTHON,
    ),
    # Python's int() reads full-width digits, but only where the framework decodes headers as UTF-8.
    _write_time(
        "full_width",
        "The timestamp is now in full-width digits, as UTF-8.",
        lambda now: str(now).translate(_FULL_WIDTH),
        reads_as_now=True,
    ),
    _twice(
        "stale_first_signed_stale",
        "A stale and a fresh timestamp; the stale one is signed.",
        stale_first=True,
        signed_stale=True,
        sdk_accepts=frozenset(),
    ),
    _twice(
        "stale_first_signed_fresh",
        "A stale and a fresh timestamp; the fresh one is signed.",
        stale_first=True,
        signed_stale=False,
        sdk_accepts=_NODE,
    ),
    _twice(
        "fresh_first_signed_stale",
        "A fresh and a stale timestamp; the stale one is signed.",
        stale_first=False,
        signed_stale=True,
        sdk_accepts=frozenset(),
    ),
    _twice(
        "fresh_first_signed_fresh",
        "A fresh and a stale timestamp; the fresh one is signed.",
        stale_first=False,
        signed_stale=False,
        sdk_accepts=_PYTHON,
    ),
)
