"""Log lines: JSON on standard output, written before the caller goes on, without payload or secret."""

import logging
import re
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

import structlog

from payproof_reference.text.card_data import find_card_numbers

__all__ = ["configure", "redact"]

REDACTED = "[redacted]"
# The last line of defence: no caller is meant to log any of these.
SECRETS = re.compile(
    r"""
      whsec_[A-Za-z0-9+/=_-]{4,}                            # webhook signing secrets
    | \b(?:sk|rk)_(?:live|test)_[A-Za-z0-9_]+               # API keys
    | bil_[a-z]+_[A-Za-z0-9_-]{8,}                          # tokens of this service
    | \b[a-z]+_[A-Za-z0-9]+_secret_[A-Za-z0-9_]+            # client secrets of intents and sessions
    | \bt=\d+(?:,\s*v\d+=[0-9A-Za-z]*)+                     # values of Stripe-Signature
    | \bv\d+=[0-9a-fA-F]{32,}                               # their parts
    """,
    re.VERBOSE,
)


def redact(value: Any) -> Any:
    """Return a value with secrets and card numbers replaced in every text and number within it."""
    match value:
        case str():
            return redact_card_numbers(SECRETS.sub(REDACTED, value))
        case int() if any(find_card_numbers(str(value))):
            return REDACTED
        case Mapping():
            return {redact(key): redact(item) for key, item in value.items()}
        case list() | tuple() | set():
            return [redact(item) for item in value]
        case _:
            return value


def redact_card_numbers(text: str) -> str:
    """Replace every card number in a text, those that overlap together."""
    shown, done = "", 0
    for start, end in find_card_numbers(text):
        if start >= done:
            shown += text[done:start] + REDACTED
        done = max(done, end)
    return shown + text[done:]


def redact_line(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Redact a whole log line."""
    return {key: redact(value) for key, value in line.items()}


def drop_exception_text(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Reduce an exception to its type and the place that raised it; its text may quote what was sent."""
    error = line.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["exception"] = type(error).__qualname__
        frames = traceback.extract_tb(error.__traceback__)
        if frames:
            line["location"] = f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}"
    return line


def configure(stream: TextIO) -> None:
    """Send every log line of the process to a stream as JSON, those of uvicorn and asyncio included."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        drop_exception_text,
        redact_line,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        # One write per line, so that lines of two threads never mix.
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
