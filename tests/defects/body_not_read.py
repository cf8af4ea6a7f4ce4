"""A second comparison reads the body after its end: nothing is left, and only the timestamp is compared.

`".".join(filter(None, [timestamp, body]))` hides that the stream was empty.
"""

from tests.defects._planting import also_matches, digest


def plant() -> None:
    also_matches(lambda header, _, secret: digest(str(header.timestamp).encode(), secret) in header.signatures)
