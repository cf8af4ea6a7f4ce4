"""Between schemathesis, which asks a WSGI application, and the case's client, which asks the target."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from schemathesis import Response

from payproof.domain.finding import Finding
from payproof.domain.observation import Answer
from payproof.domain.request import Request
from payproof.domain.urls import path_of, quote_path, with_query
from payproof.fuzzing.search import RequestSearch

__all__ = ["Bridge", "Environ"]

Environ = Mapping[str, Any]

_ASKED = "x-payproof-asked"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# They belong to the connection, which is the client's, or tell of the fuzzer.
_NOT_PASSED_ON = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer", "keep-alive"}
    | {"proxy-connection", "x-schemathesis-testcaseid", "user-agent"}
)


class Bridge:
    """A WSGI application, to schemathesis; what it is asked, it asks the target."""

    def __init__(
        self,
        search: RequestSearch,
        headers: tuple[tuple[bytes, bytes], ...],
        find: Callable[[str, str], Any],
        only: frozenset[str],
    ) -> None:
        self._search, self._headers, self._find, self._only = search, headers, find, only
        self._own = {name.lower() for name, _ in headers}
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self.asked = 0
        self.share: int | None = None  # how many requests each operation may have

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Send the request; answer with what came back, sensitive values replaced, and a number to find it by."""
        request = self._request(environ)
        spent = self.share is not None and self._search.count_requests(request.variant) >= self.share
        spent = spent or bool(self._only and request.variant not in self._only)
        outcome = None if spent else self._search.send(request)
        if outcome is None:
            start_response("404 Not Found", [])
            return [b""]
        exchange, findings = outcome
        self.asked += 1
        self._findings[str(self.asked)] = findings
        marked = (_ASKED, str(self.asked))
        if not isinstance(exchange.answer, Answer):
            start_response("504 Gateway Timeout", [marked])
            return [b""]
        answer = exchange.answer
        with suppress(ValueError):
            start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", [marked, *_passed_back(answer)])
            return [answer.body.encode()]
        start_response(f"{answer.status} ", [marked])
        return [answer.body.encode()]

    def payproof_holds(self, _context: Any, response: Response, _case: Any) -> None:
        """Say what was wrong with an answer: a check of schemathesis."""
        for number in response.headers.get(_ASKED, ()):
            for finding in self._findings.get(number, ()):
                raise AssertionError(f"{finding.check}: {finding.seen}")

    def _label(self, method: str, path: str) -> str:
        """Return the name of the operation, or that the document has none."""
        operation = self._find(method, path)
        return str(operation.label) if operation is not None else f"{method}, which is not in the document"

    def _request(self, environ: Environ) -> Request:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        given = [
            (key.removeprefix("HTTP_").replace("_", "-").title(), str(value).strip())
            for key, value in environ.items()
            if key.startswith("HTTP_") or key == "CONTENT_TYPE"
        ]
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in given
            if name.lower() not in _NOT_PASSED_ON
            and name.lower().encode() not in self._own
            and _can_be_sent(name, value)
        ]
        path, query = environ["REQUEST_URI"].partition("?")[0], environ["QUERY_STRING"]
        method, target = environ["REQUEST_METHOD"], _request_target(with_query(path, query))
        label = self._label(method, path_of(target))
        return Request(
            method=method,
            target=target,
            headers=(*headers, *self._headers),
            body=environ["wsgi.input"].read(length),
            note=f"made up for {label}",
            variant=label,
        )


def _can_be_sent(name: str, value: str) -> bool:
    """Whether a header can be sent at all; broken ones are for malformed requests."""
    return bool(_TOKEN.fullmatch(name)) and all(c == "\t" or (" " <= c <= "\xff" and c != "\x7f") for c in value)


def _request_target(uri: str) -> str:
    target = quote_path(re.sub(r"^[a-z]+://[^/?]*", "", uri))
    return target if target.startswith("/") else f"/{target}"


def _passed_back(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        if name not in {"content-length", "transfer-encoding", "content-encoding", "connection"}:
            yield name, value
