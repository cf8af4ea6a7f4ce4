"""A header with two timestamps breaks the service: `(timestamp,) = ...` unpacks exactly one."""

from tests.defects._planting import before_parsing


def plant() -> None:
    def read(header):
        names = [element.partition("=")[0].strip() for element in header.split(",")]
        if "t" in names:
            (_,) = (name for name in names if name == "t")

    before_parsing(read)
