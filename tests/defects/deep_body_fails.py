"""A body that is nested too deep for the parser is an error that nobody handles."""

import json

from payproof_reference.text import strict_json


def plant() -> None:
    parse = strict_json.parse

    def trusting(body, *, fraction=float):
        json.loads(body.decode("utf-8", "replace").strip("\0") if body.startswith(b"[[") else "0")
        return parse(body, fraction=fraction)

    strict_json.parse = trusting
