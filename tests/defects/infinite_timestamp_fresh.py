"""The age is computed with `float` and only the past is judged, so that `inf` stays fresh for ever."""

from tests.defects._planting import keep_timestamp_text


def plant() -> None:
    def is_fresh(text, now, tolerance):
        try:
            return now - float(text) <= tolerance
        except ValueError:
            return False

    keep_timestamp_text(is_fresh)
