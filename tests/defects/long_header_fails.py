"""The header is copied into a buffer whose length has 16 bits, and a longer one breaks the service."""

import struct

from tests.defects._planting import before_parsing


def plant() -> None:
    before_parsing(lambda header: struct.pack("!H", len(header)) + header.encode())
