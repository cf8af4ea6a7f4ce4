"""The timestamp is read by `int()`, which takes a sign, leading zeros and underscores."""

from contextlib import suppress

from tests.defects._planting import rewrite_timestamp


def plant() -> None:
    def read(text):
        with suppress(ValueError):
            return str(int(text))
        return text

    rewrite_timestamp(read)
