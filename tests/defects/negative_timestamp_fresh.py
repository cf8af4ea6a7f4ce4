"""A timestamp of -1 stands for none in the code, and without one the age is not judged."""

from tests.defects._planting import keep_timestamp_text


def plant() -> None:
    keep_timestamp_text(
        lambda text, now, tolerance: text == "-1" or (text.isdecimal() and abs(now - int(text[:11])) <= tolerance)
    )
