from typing import ClassVar

from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["GraphqlTrace"]


@detector
class GraphqlTrace(FormDetector):
    """Stack traces in the extensions of GraphQL errors: Apollo, HotChocolate, graphql-php."""

    name: ClassVar[str] = "graphql_trace"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"errors":[{"message":"no","extensions":{"code":"INTERNAL_SERVER_ERROR","stacktrace":["Error: no"]}}]}',
        b'{"errors":[{"extensions":{"code":"X","exception":{"stacktrace":["Error: no"]}}}]}',
        b'{"errors":[{"message":"no","extensions":{"message":"no","stackTrace":"   at Hook"}}]}',
        b'{"errors":[{"message":"no","extensions":{"debugMessage":"no","file":"/srv/Hook.php"}}]}',
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"errors":[{"message":"Internal server error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}',
        b'{"errors":[{"message":"no","locations":[{"line":1,"column":3}],"path":["invoice"],"extensions":{"trace":"8f1"}}]}',
    )
    forms: ClassVar[Forms] = Forms(
        Form("GraphQL stack trace", rb"\"extensions\"\s?:\s?\{[^\[\]]{0,2000}?\"stack[tT]race\"\s?:\s?[\[\"]"),
        Form("GraphQL debug message", rb"\"extensions\"\s?:\s?\{[^\[\]]{0,2000}?\"debugMessage\"\s?:"),
    )
