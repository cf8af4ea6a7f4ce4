"""Headers are decoded as UTF-8, and a byte that is none breaks the service."""

from tests.defects._planting import before_parsing


def plant() -> None:
    before_parsing(lambda header: header.encode("latin-1").decode())
