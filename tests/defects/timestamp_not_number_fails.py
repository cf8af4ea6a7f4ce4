"""`int()` of a timestamp that is no number, or has more than 4,300 digits, breaks the service."""

from tests.defects._planting import before_parsing, values


def plant() -> None:
    before_parsing(lambda header: [int(stamp) for stamp in values(header, "t")])
