"""The age of a timestamp that is no number is not judged: `except ValueError: pass`."""

from tests.defects._planting import keep_timestamp_text


def plant() -> None:
    def is_fresh(text, now, tolerance):
        try:
            return abs(now - int(text)) <= tolerance
        except ValueError:
            return True

    keep_timestamp_text(is_fresh)
