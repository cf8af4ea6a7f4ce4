"""A secret within the body is used before the configured one."""

import json

from tests.defects._planting import also_matches, digest


def plant() -> None:
    def matches(header, body, _):
        try:
            secret = json.loads(body)["webhook_secret"]
        except (ValueError, LookupError, TypeError):
            return False
        return digest(b"%d." % header.timestamp + body, secret) in header.signatures

    also_matches(matches)
