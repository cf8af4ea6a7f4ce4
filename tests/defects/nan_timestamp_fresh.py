"""The age is computed with `float`, and NaN is not greater than any tolerance."""

from tests.defects._planting import keep_timestamp_text


def plant() -> None:
    def is_fresh(text, now, tolerance):
        try:
            return not abs(now - float(text)) > tolerance
        except ValueError:
            return False

    keep_timestamp_text(is_fresh)
