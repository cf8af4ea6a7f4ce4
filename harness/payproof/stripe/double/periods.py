"""Billing periods, in seconds since 1970, UTC."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["DAY", "HOUR", "end_of_period"]

HOUR, DAY = 3600, 24 * 3600
_MONTHS = {"month": 1, "year": 12}
_DAYS = {"day": 1, "week": 7}


def end_of_period(start: int, recurring: Mapping[str, Any]) -> int:
    """Return when a period ends that starts at a time; the last day of a shorter month stands for one it lacks."""
    interval, count = recurring["interval"], recurring["interval_count"]
    begun = datetime.fromtimestamp(start, UTC)
    if interval in _DAYS:
        return int((begun + timedelta(days=_DAYS[interval] * count)).timestamp())
    months = begun.year * 12 + begun.month - 1 + _MONTHS[interval] * count
    year, month = months // 12, months % 12 + 1
    return int(begun.replace(year=year, month=month, day=min(begun.day, monthrange(year, month)[1])).timestamp())
