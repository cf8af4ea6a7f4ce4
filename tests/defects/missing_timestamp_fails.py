"""`fields["t"]` of a header without a timestamp breaks the service."""

from tests.defects._planting import before_parsing


def plant() -> None:
    before_parsing(lambda header: dict(entry.partition("=")[::2] for entry in header.split(","))["t"])
