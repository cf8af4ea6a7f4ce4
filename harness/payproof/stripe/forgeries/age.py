"""Rightly signed deliveries whose only question is their age; Stripe's default tolerance is 300 s."""

from dataclasses import replace

from payproof.stripe.forgery import Delivery, Forgery, Material, deliver
from payproof.stripe.signature import sign

__all__ = ["FORGERIES"]

_BOTH = frozenset({"python", "node"})
_DAY = 86_400
_YEAR = 365 * _DAY


def _signed_at(material: Material, timestamp: int) -> Delivery:
    return deliver(material, sign(material.body, secrets=[material.secret], timestamp=timestamp))


def _shift_age(name: str, summary: str, seconds: int, sdk_accepts: frozenset[str]) -> Forgery:
    return Forgery(
        name, summary, lambda material: _signed_at(material, material.now + seconds), sdk_accepts=sdk_accepts
    )


def _fix_timestamp(name: str, summary: str, timestamp: int) -> Forgery:
    return Forgery(name, summary, lambda material: _signed_at(material, timestamp))


FORGERIES = (
    _shift_age("expired.301s", "Signed one second longer ago than is tolerated.", -301, frozenset()),
    _shift_age("expired.3600s", "Signed an hour ago.", -3600, frozenset()),
    # Languages that split durations into days and seconds make it 0 seconds (Python's timedelta.seconds).
    _shift_age("expired.1d", "Signed exactly a day ago.", -_DAY, frozenset()),
    _fix_timestamp("expired.12345s", "Signed for 12,345 s after the start of 1970.", 12_345),
    _fix_timestamp("expired.epoch", "Signed for second 0 of 1970, which is false in many languages.", 0),
    _shift_age("within_tolerance.290s", "Signed 290 s ago.", -290, _BOTH),
    _shift_age("within_tolerance.1s", "Signed one second ago.", -1, _BOTH),
    _shift_age("within_tolerance.now", "Signed in this second.", 0, _BOTH),
    _shift_age("within_tolerance.5s_ahead", "Signed by a clock that is 5 s ahead.", 5, _BOTH),
    # Neither SDK looks at the future, so a capture of such a delivery can be replayed until then.
    # At the turn of a second it would be 300 s by the time it is read.
    replace(
        _shift_age("future.301s", "Signed for one second further ahead than is tolerated.", 301, _BOTH),
        exact=True,
    ),
    _shift_age("future.1d", "Signed for tomorrow.", _DAY, _BOTH),
    _shift_age("future.1y", "Signed for a year from now.", _YEAR, _BOTH),
)
