"""The age is judged only if there is a timestamp, and an empty one counts as none."""

from tests.defects._planting import keep_timestamp_text


def plant() -> None:
    keep_timestamp_text(
        lambda text, now, tolerance: not text or (text.isdecimal() and abs(now - int(text[:11])) <= tolerance)
    )
