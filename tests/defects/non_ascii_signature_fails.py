"""Signatures are compared as text, and `hmac.compare_digest` raises on text beyond ASCII (hermes-agent#65307)."""

import hmac

from tests.defects._planting import before_parsing, values


def plant() -> None:
    before_parsing(lambda header: [hmac.compare_digest("0" * 64, given) for given in values(header, "v1")])
