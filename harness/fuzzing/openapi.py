"""Runs schemathesis over an OpenAPI document; each request goes out through the case's client, and no other way."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from http import HTTPStatus
from typing import Any, Literal

import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.config import (
    AnalysisConfig,
    CacheConfig,
    ConstantsConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    StatefulPhaseConfig,
)
from schemathesis.core.result import Ok
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.run import ELASTIC_PHASES
from schemathesis.errors import LoaderError

from harness.domain.contracts import Request
from harness.domain.finding import Finding
from harness.domain.observation import Answer
from harness.errors import ConfigurationError, InconclusiveError, PayproofError, Reason, place_of
from harness.fuzzing.planting import bodies
from harness.fuzzing.search import Search

__all__ = ["Kind", "fuzz_openapi"]

Kind = Literal["valid", "boundaries", "invalid", "stateful", "anonymous"]
Environ = Mapping[str, Any]
_Case = schemathesis.Case[Any]

_CHECK = "payproof_holds"  # the name of the method
_ASKED = "x-payproof-asked"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# They belong to the connection, which is the client's, or tell of the fuzzer.
_NOT_PASSED_ON = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer", "keep-alive"}
    | {"proxy-connection", "x-schemathesis-testcaseid", "user-agent"}
)


def fuzz_openapi(
    document: Mapping[str, Any], search: Search, *, kind: Kind, examples: int, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """Fuzz until all operations had their turn or the search is over; ``headers`` are those of who asks.

    Raises:
        ConfigurationError: schemathesis does not take the document.
        InconclusiveError: schemathesis itself failed, or could make no request of any operation.
    """
    try:
        schema = schemathesis.openapi.from_dict(deepcopy(dict(document)), config=_config(search, kind, examples))
    except LoaderError as error:
        raise ConfigurationError(f"the OpenAPI document cannot be fuzzed: {error.message}") from None
    bridge = schema.app = _Bridge(search, headers, schema.find_operation_by_path)
    # Only from here on: an operation takes the application along that the schema has when it is first asked for.
    operations = [one.ok().label for one in schema.get_all_operations() if isinstance(one, Ok)]
    if kind != "stateful":
        bridge.share = max(1, search.left // max(1, len(operations)))
    schema.hooks.register_hook_with_name(_planting(search), "before_generate_case")
    with _registered(bridge.payproof_holds):
        stream = from_schema(schema).execute()
        for event in stream:
            if search.over or _ends_a_turn(event):
                stream.stop()  # with a limit of time, schemathesis would go on until that is reached
            _refuse(event)
    if kind == "stateful":
        return  # not every operation leads on to others; where none does, nothing was seen, and the case is skipped
    if not bridge.asked:
        raise InconclusiveError(Reason.PREPARATION_FAILED, "schemathesis made no request of the OpenAPI document")
    search.require(operations)


def _ends_a_turn(event: events.EngineEvent) -> bool:
    return (
        isinstance(event, events.PhaseFinished)
        and event.phase.name in ELASTIC_PHASES
        and event.status is not Status.SKIP
    )


def _refuse(event: events.EngineEvent) -> None:
    """Raise when schemathesis failed, or could not make requests of an operation, which would then be untested."""
    error = getattr(event, "exception" if isinstance(event, events.FatalError) else "value", None)
    if isinstance(error, PayproofError):
        raise error
    if isinstance(event, events.FatalError):
        raise InconclusiveError(Reason.HARNESS_FAULT, f"schemathesis: {place_of(event.exception)}")
    if isinstance(event, events.NonFatalError):
        # Its text may quote what was made up.
        detail = f"schemathesis cannot make requests of {event.label}: {event.info.title}"
        raise InconclusiveError(Reason.PREPARATION_FAILED, detail)


def _config(search: Search, kind: Kind, examples: int) -> schemathesis.Config:
    """Return a configuration that reads no file and writes none."""
    modes = {
        "valid": [schemathesis.GenerationMode.POSITIVE],
        "stateful": [schemathesis.GenerationMode.POSITIVE],
        "invalid": [schemathesis.GenerationMode.NEGATIVE],
    }.get(kind, list(schemathesis.GenerationMode))
    generation = GenerationConfig(modes=modes, max_examples=examples, database="none")
    phases = PhasesConfig(
        examples=ExamplesPhaseConfig(enabled=kind == "valid"),
        coverage=CoveragePhaseConfig(enabled=kind == "boundaries"),
        fuzzing=FuzzingPhaseConfig(enabled=kind in {"valid", "invalid", "anonymous"}),
        stateful=StatefulPhaseConfig(enabled=kind == "stateful"),
    )
    project = ProjectConfig(
        generation=generation,
        phases=phases,
        workers=1,
        continue_on_failure=True,
        analysis=AnalysisConfig(constants=ConstantsConfig(enabled=False)),
    )
    project.checks.update(included_check_names=[_CHECK])
    return schemathesis.Config(
        seed=search.seed,
        max_time=max(1, int(search.seconds)),  # each operation gets its share
        cache=CacheConfig(enabled=False),
        projects=ProjectsConfig(default=project),
    )


@contextmanager
def _registered(check: Callable[..., None]) -> Iterator[None]:
    """Let schemathesis know a check while a run lasts; the user's own runs in this process are not to meet it."""
    schemathesis.check(check)
    try:
        yield
    finally:
        CHECKS.unregister(_CHECK)


def _planting(search: Search) -> Callable[..., Any]:
    """Return the hook that plants canaries in part of the requests, where hypothesis chooses, so that it can shrink."""
    canaries = search.canaries

    @st.composite
    def planted(draw: st.DrawFn, strategy: st.SearchStrategy[_Case]) -> _Case:
        case = draw(strategy)
        match draw(st.sampled_from(["nothing", "body", "body", "query", "path", "header"])):
            case "body" if variants := list(bodies(case.body, canaries)) if isinstance(case.body, dict | list) else []:
                case.body = draw(st.sampled_from(variants))
            case "query":
                case.query = {**case.query, "note": draw(st.sampled_from([canaries.text, canaries.number]))}
            case "path" if case.path_parameters:
                name = draw(st.sampled_from(sorted(case.path_parameters)))
                new = draw(st.sampled_from([canaries.text, canaries.number]))
                case.path_parameters = {**case.path_parameters, name: new}
            case "header":
                name = draw(st.sampled_from(["Idempotency-Key", "X-Request-Id", "X-Note"]))
                case.headers[name] = canaries.text
        return case

    def before_generate_case(_context: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return planted(strategy)

    return before_generate_case


class _Bridge:
    """A WSGI application, to schemathesis; what it is asked, it asks the target."""

    def __init__(
        self, search: Search, headers: tuple[tuple[bytes, bytes], ...], find: Callable[[str, str], Any]
    ) -> None:
        self._search, self._headers, self._find = search, headers, find
        self._own = {name.lower() for name, _ in headers}
        self._findings: dict[str, tuple[Finding, ...]] = {}
        self.asked = 0
        self.share: int | None = None  # how many requests each operation may have

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Send the request; answer with what came back, sensitive values replaced, and a number to find it by."""
        request = self._request(environ)
        spent = self.share is not None and self._search.asked(request.variant) >= self.share
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

    def payproof_holds(self, _context: Any, response: schemathesis.Response, _case: Any) -> None:
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
        method, target = environ["REQUEST_METHOD"], _request_target(f"{path}?{query}" if query else path)
        label = self._label(method, target.partition("?")[0])
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
    path = re.sub(r"^[a-z]+://[^/?]*", "", uri)
    quoted = "".join(c if "!" <= c <= "~" and c != "#" else "".join(f"%{b:02X}" for b in c.encode()) for c in path)
    return quoted if quoted.startswith("/") else f"/{quoted}"


def _passed_back(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.headers:
        if name not in {"content-length", "transfer-encoding", "content-encoding", "connection"}:
            yield name, value
