"""The header is read by `dict(entry.split("=") for ...)`, and an entry without a value breaks the service."""

from tests.defects._planting import before_parsing


def plant() -> None:
    before_parsing(lambda header: dict(entry.split("=", 1) for entry in header.split(",")))
