r"""The header is decoded as UTF-8 and its timestamp matched by `\d`, which takes the digits of every script."""

from contextlib import suppress

from tests.defects._planting import rewrite_timestamp


def plant() -> None:
    def read(text):
        with suppress(ValueError):
            decoded = text.encode("latin-1").decode()
            return str(int(decoded)) if decoded.isdecimal() and not decoded.isascii() else text
        return text

    rewrite_timestamp(read)
