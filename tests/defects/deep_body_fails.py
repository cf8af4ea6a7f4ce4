"""A body that is nested too deep for the parser is an error that nobody handles."""

import json

from payproof_reference.services import documents


def plant() -> None:
    parse = documents.parse

    def trusting(body, *, fraction=float):
        json.loads(body.decode("utf-8", "replace").strip("\0") if body.startswith(b"[[") else "0")
        return parse(body, fraction=fraction)

    documents.parse = trusting
