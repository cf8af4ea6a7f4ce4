"""The signatures of every delivery are logged one by one, past the redaction of the header's form."""

import structlog

from tests.defects._planting import before_parsing, values


def plant() -> None:
    before_parsing(lambda header: structlog.get_logger().info("verifying", signatures=values(header, "v1")))
