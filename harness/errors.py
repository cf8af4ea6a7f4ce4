"""What can go wrong in a run, told in the order in which it happens.

Our mistake, or the user's, is an exception from this module; the target's mistake is a Finding. What stops a look at
the target from being conclusive is a Reason: it ends in ``Errored``, never in ``Passed``.
"""

from enum import StrEnum
from pathlib import Path

__all__ = [
    "BackendGoneError",
    "ConfigurationError",
    "ForbiddenHostError",
    "InconclusiveError",
    "PayproofError",
    "Reason",
    "TargetStartError",
    "place_of",
]


class Reason(StrEnum):
    """Why a case could not be judged."""

    BUDGET_SPENT = "budget spent"
    COMMAND_FAILED = "command failed"
    CONTROL_FAILED = "control failed"
    HARNESS_FAULT = "fault of the harness"
    MARKER_NOT_SEEN = "marker not seen"
    NOT_JUDGED = "not judged"
    NOT_PLANTED = "row not planted"
    PREPARATION_FAILED = "preparation failed"
    REDIRECT_ELSEWHERE = "redirect to another host"
    RESPONSE_TOO_LARGE = "response too large"
    RESPONSE_UNREADABLE = "response unreadable"
    SOURCE_UNREADABLE = "source unreadable"
    TIMEOUT = "no answer in time"
    TLS_FAILED = "TLS failed"
    UNREACHABLE = "unreachable"
    UPSTREAM_FAILED = "upstream failed"


class PayproofError(Exception):
    """Base of all that Payproof raises on purpose; its text is one line for the user."""


class ConfigurationError(PayproofError):
    """The user's input is wrong: file, place, what is wrong, what would be right. Exit code 4."""

    def __init__(
        self, problem: str, *, hint: str = "", file: Path | str | None = None, line: int | None = None
    ) -> None:
        place = "" if file is None else f"{file}:{line}: " if line is not None else f"{file}: "
        super().__init__(place + problem + (f"; {hint}" if hint else ""))


class ForbiddenHostError(PayproofError):
    """A request to a host that the target file does not list was stopped before it was sent."""

    def __init__(self, host: str) -> None:
        super().__init__(f"not sent: {host} is not a host of the target file")


class TargetStartError(PayproofError):
    """The embedded reference service did not start."""


class BackendGoneError(PayproofError):
    """What answers for Stripe behind the upstream does not answer, or not as Stripe does."""


class InconclusiveError(PayproofError):
    """A look at the target did not come to an end that can be judged; the case is Errored with the reason.

    The fixture of the pytest plugin raises it too: what cannot be judged is neither a pass nor an AssertionError.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


def place_of(error: BaseException) -> str:
    """Return an exception's type and where it was raised; its text is left out, as it may quote a sensitive value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "unknown" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__} in {place}"
