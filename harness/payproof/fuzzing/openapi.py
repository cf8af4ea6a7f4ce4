"""Runs schemathesis over an OpenAPI document; each request goes out through the case's client, and no other way."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
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
    HealthCheck,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    StatefulPhaseConfig,
)
from schemathesis.core.result import Ok
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.run import ELASTIC_PHASES
from schemathesis.errors import LoaderError

from payproof.errors import InconclusiveError, PayproofError, Reason, record_fault
from payproof.fuzzing.bridge import Bridge
from payproof.fuzzing.constants import without_local_constants
from payproof.fuzzing.planting import bodies
from payproof.fuzzing.search import RequestSearch

__all__ = ["Kind", "fuzz_openapi"]

Kind = Literal["valid", "boundaries", "invalid", "stateful", "anonymous"]
Headers = tuple[tuple[bytes, bytes], ...]
_Case = schemathesis.Case[Any]

_CHECK = Bridge.payproof_holds.__name__
_OTHER_METHODS = 8  # which the document does not have for a path: each counts as one more operation


def fuzz_openapi(
    document: Mapping[str, Any], search: RequestSearch, *, kind: Kind, examples: int, headers: Headers
) -> None:
    """Fuzz until all operations had their turn or the search is over; ``headers`` are those of who asks.

    Raises:
        InconclusiveError: schemathesis does not take the document, failed itself, or cannot ask for an operation.
    """
    search.hold_back()
    operations = _once(
        document, search, _config(search, kind, examples, shrinking=False), headers, spread=kind != "stateful"
    )
    if kind != "stateful":  # in which not every operation need have its turn
        search.require(operations)
    if search.found and not search.fell_silent:
        # The first time all is told, and this time each operation ends with its smallest request.
        search.release()
        config = _config(search, kind, examples, shrinking=True)
        _once(document, search, config, headers, spread=False, only=search.found)


def _once(
    document: Mapping[str, Any],
    search: RequestSearch,
    config: schemathesis.Config,
    headers: Headers,
    *,
    spread: bool,
    only: frozenset[str] = frozenset(),
) -> list[str]:
    """Run schemathesis once, if wished of some operations ``only``; return the names of all operations."""
    try:
        schema = schemathesis.openapi.from_dict(deepcopy(dict(document)), config=config)
    except LoaderError as error:
        raise InconclusiveError(Reason.PREPARATION_FAILED, f"schemathesis: {error.message}") from None
    bridge = schema.app = Bridge(search, headers, _finder(schema), only)
    # Only from here on: an operation takes the application along that the schema has when it is first asked for.
    operations = list(_operations(schema))
    if spread:
        bridge.share = max(1, search.left // (len(operations) + _OTHER_METHODS))
    schema.hooks.register_hook_with_name(_planting(search), "before_generate_case")
    with _register_check(bridge.payproof_holds), without_local_constants():
        stream = from_schema(schema).execute()
        for event in stream:
            if search.over or _ends_a_turn(event):
                stream.stop()  # with a limit of time, schemathesis would go on until that is reached
            if not only:
                _refuse(event)
    return operations


def _finder(schema: Any) -> Callable[[str, str], Any]:
    """Return what finds an operation by a request's path, which begins with that of the document's server."""
    base = schema.base_path

    def find(method: str, path: str) -> Any:
        return schema.find_operation_by_path(method, "/" + path.removeprefix(base)) if path.startswith(base) else None

    return find


def _operations(schema: Any) -> Iterator[str]:
    """Yield the name of each operation.

    Raises:
        InconclusiveError: schemathesis cannot use one, and would leave it out without a word.
    """
    for one in schema.get_all_operations():
        if not isinstance(one, Ok):
            failed = one.err()
            detail = f"the OpenAPI document is not right for {failed.method or 'each method of'} {failed.path}"
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        if one.ok().has_skipped_required_body:
            detail = f"the OpenAPI document does not describe the body of {one.ok().label} in a way that can be read"
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        yield one.ok().label


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
        raise InconclusiveError(Reason.HARNESS_FAULT, f"schemathesis: {record_fault(event.exception)}")
    if isinstance(event, events.NonFatalError):
        # Its text may quote what was made up.
        detail = f"schemathesis cannot make requests of {event.label}: {event.info.title}"
        raise InconclusiveError(Reason.PREPARATION_FAILED, detail)


def _config(search: RequestSearch, kind: Kind, examples: int, *, shrinking: bool) -> schemathesis.Config:
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
        continue_on_failure=not shrinking,
        analysis=AnalysisConfig(constants=ConstantsConfig(enabled=False)),
    )
    project.checks.update(included_check_names=[_CHECK])
    return schemathesis.Config(
        seed=search.seed,
        suppress_health_check=[HealthCheck.all],
        max_time=max(1, int(search.seconds_left)),  # each operation gets its share
        cache=CacheConfig(enabled=False),
        projects=ProjectsConfig(default=project),
    )


@contextmanager
def _register_check(check: Callable[..., None]) -> Iterator[None]:
    """Let schemathesis know a check while a run lasts; the user's own runs in this process are not to meet it."""
    schemathesis.check(check)
    try:
        yield
    finally:
        CHECKS.unregister(_CHECK)


def _planting(search: RequestSearch) -> Callable[..., Any]:
    """Return the hook that plants canaries in part of the requests, where hypothesis chooses, so that it can shrink."""
    canaries = search.canaries

    @st.composite
    def plant(draw: st.DrawFn, strategy: st.SearchStrategy[_Case]) -> _Case:
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
        return plant(strategy)

    return before_generate_case
