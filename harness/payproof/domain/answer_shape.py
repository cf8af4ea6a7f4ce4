"""Whether two answers are one: what a server makes up for each answer is left out, that it is there is not."""

import re

from payproof.domain.json_path import text_at
from payproof.domain.observation import Answer

__all__ = ["AnswerShape", "shape_of"]

# An entity tag is a digest of the body, which is compared itself, without what a server makes up for each answer.
_VARIES = frozenset(
    {"age", "cf-ray", "date", "etag", "server-timing", "traceparent", "via", "x-correlation-id", "x-request-id"}
)
# Ids and times that a server makes up for each answer: UUIDs, hexadecimal from 12 digits, ULIDs, ISO times.
_MADE_UP = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)\b",
    re.IGNORECASE,
)
# Of the connection, not of the answer: they depend on how the request asked for it.
_OF_CONNECTION = frozenset({"connection", "keep-alive"})

#: Status, body and headers.
AnswerShape = tuple[int, str, tuple[tuple[str, str], ...]]


def shape_of(answer: Answer, reference: str | None) -> AnswerShape:
    """Return what an answer has in common with another one like it.

    ``reference`` is the place in the body where the contract says that an answer names what leads to the log.
    """
    headers = tuple(
        sorted((name, "" if name in _VARIES else value) for name, value in answer.headers if name not in _OF_CONNECTION)
    )
    body = answer.body
    if reference is not None and (found := text_at(body, reference)):
        body = body.replace(found, "*")
    return answer.status, _MADE_UP.sub("*", body), headers
