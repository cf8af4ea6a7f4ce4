"""`header.split("v1=")[1]` of a header without a signature breaks the service."""

from tests.defects._planting import before_parsing


def plant() -> None:
    before_parsing(lambda header: header.split("v1=")[1])
