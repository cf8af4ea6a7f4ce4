"""Makes requests up for routes of which nothing is known but method and path, by hypothesis."""

import re
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import urlsplit

import hypothesis
from hypothesis import strategies as st

from payproof.domain.observation import NoAnswer
from payproof.domain.request import Request
from payproof.domain.urls import with_query
from payproof.errors import PayproofError
from payproof.fuzzing.canaries import FuzzingCanaries
from payproof.fuzzing.constants import without_local_constants
from payproof.fuzzing.quiet_settings import make_settings
from payproof.fuzzing.search import RequestSearch
from payproof.fuzzing.texts import encoded_bodies, plain_bodies
from payproof.fuzzing.wires import wires

__all__ = ["Kind", "fuzz_routes"]

Kind = Literal["bodies", "encodings", "headers", "methods", "malformed"]
Headers = tuple[tuple[bytes, bytes], ...]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PAYPROOF")
_HOLE = re.compile(r"\{[^}/]*\}")
_NO_ANSWER_SECONDS = 2.0  # to wait for an answer to what is malformed, which may well get none
_broken: dict[tuple[str, str], type[AssertionError]] = {}


def fuzz_routes(
    routes: Iterable[tuple[str, str]], search: RequestSearch, *, kind: Kind, examples: int, base: str, headers: Headers
) -> None:
    """Fuzz each method and path until it had its examples or the search is over; ``headers`` are those of who asks.

    Raises:
        InconclusiveError: the search was over before each route had its turn.
    """
    routes = tuple(routes)
    for number, (method, path) in enumerate(routes):
        strategy = _requests(method, path, kind, search.canaries, base, headers)
        search.turn(len(routes) - number)
        if not search.over:
            search.send(_sound(method, path, headers))
            _run(strategy, search, seed=search.seed + number, examples=examples, probe=_sound(method, path, headers))
    search.require(f"{method} {path}" for method, path in routes)


def _run(
    strategy: st.SearchStrategy[Request], search: RequestSearch, *, seed: int, examples: int, probe: Request
) -> None:
    @hypothesis.seed(seed)
    @make_settings(examples, derandomize=False)
    @hypothesis.given(request=strategy)
    def holds(request: Request) -> None:
        outcome = search.send(request)
        if outcome is None:
            return
        if isinstance(outcome[0].answer, NoAnswer) and request.wire:
            search.send(probe)  # silence is an answer to what is malformed, if the target still answers others
        for finding in outcome[1]:
            raise _type_of(finding.check, finding.seen)

    try:
        with without_local_constants():
            holds()
    except Exception as error:
        if (ended := _find_end(error)) is not None:
            raise ended from None
        if not _tells_of_target(error):
            raise


def _type_of(check: str, seen: str) -> type[AssertionError]:
    """Return one type for each kind of finding, by which hypothesis knows them apart."""
    return _broken.setdefault((check, seen), type("Broken", (AssertionError,), {}))


def _find_end(error: BaseException) -> PayproofError | None:
    """Return what has ended the search, such as a target that is gone, also where it did not happen again."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := _find_end(one)) is not None), None)
    return error if isinstance(error, PayproofError) else None


def _tells_of_target(error: BaseException) -> bool:
    """Whether an exception is about the target; what was found is with the search, so that nothing is lost by it.

    Flaky is one: the same request was answered in two ways.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(_tells_of_target(one) for one in error.exceptions)
    return isinstance(error, hypothesis.errors.Flaky) or type(error) in _broken.values()


def _sound(method: str, path: str, headers: Headers) -> Request:
    label = f"{method} {path}"
    return Request(
        method, _fill_holes(path, "payproof"), headers, b"", f"made up for {label}: nothing odd", variant=label
    )


def _fill_holes(path: str, text: str) -> str:
    return _HOLE.sub(text, path)


@st.composite
def _requests(
    draw: st.DrawFn, method: str, path: str, kind: Kind, canaries: FuzzingCanaries, base: str, headers: Headers
) -> Request:
    """Draw a request of a kind."""
    label, given = f"{method} {path}", headers
    target = _fill_holes(
        path, draw(st.sampled_from(["payproof", "0", canaries.text, canaries.number, "%00", "..%2f.."]))
    )
    if kind == "malformed":
        fields = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        told, wire = draw(wires(method, target, urlsplit(base).netloc, fields, canaries))
        return Request(
            method, target, (), b"", f"made up for {label}: {told}", variant=label, wire=wire, within=_NO_ANSWER_SECONDS
        )
    type_: str | None
    (type_, body), encoding = (
        draw(encoded_bodies(canaries)) if kind == "encodings" else (draw(plain_bodies(canaries)), "")
    )
    if kind == "methods":
        method = draw(st.sampled_from(_METHODS))
        more = draw(st.sampled_from(["", "/", "/payproof", "//", "/..", ";a=b", "%2f", ".json", "?debug=1"]))
        path, _, query = target.partition("?")
        target = with_query(path + more, query)
    if kind == "headers":
        given += tuple(draw(st.lists(_header(canaries), max_size=4)))
    if draw(st.booleans()):
        queries = [f"note={canaries.text}", "note=%ff%fe", f"card={canaries.number}", "a[]=1&a=2", "limit=1e9"]
        target = with_query(target, draw(st.sampled_from(queries)))
    if type_ is not None:
        given += ((b"Content-Type", type_.encode()),)
    if encoding:
        given += ((b"Content-Encoding", encoding.encode()),)
    return Request(method, target, given, body, f"made up for {label}", variant=label)


def _header(canaries: FuzzingCanaries) -> st.SearchStrategy[tuple[bytes, bytes]]:
    names = (
        "Accept", "Accept-Language", "Authorization", "Cookie", "Forwarded", "Idempotency-Key", "If-Match", "Range",
        "Origin", "Stripe-Signature", "Stripe-Account", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
        "X-HTTP-Method-Override", "X-Request-Id", "X-Note",
    )  # fmt: skip
    values: st.SearchStrategy[Any] = st.sampled_from(
        ["", canaries.text, "*/*;q=9", "bytes=0-,-1", "127.0.0.1, x", "a" * 5000, "\u00ff", "t=1,v1=", 'W/"', "%0d%0a"]
    ) | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
    return st.tuples(
        st.sampled_from(names).map(str.encode), values.map(lambda text: str(text).encode("latin-1", "replace"))
    )
