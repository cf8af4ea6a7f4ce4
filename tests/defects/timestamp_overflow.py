"""The timestamp is turned into a date before its size is known, and dates end with the year 9999."""

from datetime import UTC, datetime, timedelta

from tests.defects._planting import keep_timestamp_text


def plant() -> None:
    def is_fresh(text, now, tolerance):
        if not text.isdecimal():
            return False
        age = datetime.fromtimestamp(now, UTC) - datetime.fromtimestamp(int(text), UTC)
        return abs(age) <= timedelta(seconds=tolerance)

    keep_timestamp_text(is_fresh)
