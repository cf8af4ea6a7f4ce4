"""The run record: events to JSON and back."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from payproof.domain.events import CaseFinished, RunEvent, RunFinished, RunStarted
from payproof.errors import ConfigurationError

__all__ = ["decode_event", "encode_event"]

_KINDS: dict[str, TypeAdapter[Any]] = {
    "run_started": TypeAdapter(RunStarted),
    "case_finished": TypeAdapter(CaseFinished),
    "run_finished": TypeAdapter(RunFinished),
}
_NAMES: dict[type, str] = {RunStarted: "run_started", CaseFinished: "case_finished", RunFinished: "run_finished"}


def encode_event(event: RunEvent) -> dict[str, Any] | None:
    """Return an event as JSON-ready values, or None for one that a record leaves out."""
    name = _NAMES.get(type(event))
    if name is None:
        return None
    return {"event": name, **_KINDS[name].dump_python(event, mode="json")}


def decode_event(content: Any, file: str, line: int) -> RunEvent:
    """Return the event that a record's line holds.

    Raises:
        ConfigurationError: the line is no event of a run record.
    """
    kind = content.pop("event", None) if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigurationError("not a line of a Payproof run record", file=file, line=line)
    try:
        event: RunEvent = _KINDS[kind].validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{place}: {first['msg']}", file=file, line=line) from None
    return event
