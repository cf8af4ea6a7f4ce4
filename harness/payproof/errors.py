"""What can go wrong in a run, told in the order in which it happens.

Our mistake, or the user's, is an exception from this module; the target's mistake is a Finding. What stops a look at
the target from being conclusive is a Reason: it ends in ``Errored``, never in ``Passed``.
"""

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from traceback import extract_tb

__all__ = [
    "FAULTS_VARIABLE",
    "BackendGoneError",
    "ConfigurationError",
    "ForbiddenHostError",
    "InconclusiveError",
    "PayproofError",
    "Reason",
    "SeveralMistakesError",
    "TargetGoneError",
    "TargetStartError",
    "place_of",
    "record_fault",
]

#: Names a file to which faults of our own are added with their way through the code, for whoever is to mend them.
FAULTS_VARIABLE = "PAYPROOF_FAULTS"


class Reason(StrEnum):
    """Why a case could not be judged."""

    BUDGET_SPENT = "budget spent"
    COMMAND_FAILED = "command failed"
    CONTROL_FAILED = "control failed"
    CRASHED = "target gone"
    HARNESS_FAULT = "fault of the harness"
    MARKER_NOT_SEEN = "marker not seen"
    NOT_JUDGED = "not judged"
    NOT_PLANTED = "row not planted"
    PREPARATION_FAILED = "preparation failed"
    RATE_LIMITED = "rate limited"
    REDIRECT_ELSEWHERE = "redirect to another host"
    REFUSED = "genuine events refused"
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
        self.problem, self.line = problem, line

    @property
    def mistakes(self) -> "tuple[ConfigurationError, ...]":
        """Each mistake by itself."""
        return (self,)


class SeveralMistakesError(ConfigurationError):
    """Several mistakes that are told at once; its text has a line for each."""

    def __init__(self, mistakes: Iterable[ConfigurationError]) -> None:
        self._mistakes = tuple(one for several in mistakes for one in several.mistakes)
        super().__init__("\n".join(map(str, self._mistakes)))

    @property
    def mistakes(self) -> tuple[ConfigurationError, ...]:
        """Each mistake by itself."""
        return self._mistakes


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


class TargetGoneError(InconclusiveError):
    """The target was there before a request and is not after it; ``again`` is the command that sends it again."""

    def __init__(self, detail: str, again: str) -> None:
        super().__init__(Reason.CRASHED, detail)
        self.again = again


def record_fault(error: BaseException) -> str:
    """Return ``place_of`` of a fault of our own; add its way there to the file that PAYPROOF_FAULTS names, if it does.

    What is added are names of files, lines and functions, one below the other, and never a value.
    """
    if file := os.environ.get(FAULTS_VARIABLE):
        frames = (f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__))
        with Path(file).open("a", encoding="utf-8") as faults:
            faults.write("\n".join([type(error).__name__, *frames, ""]))
    return place_of(error)


def place_of(error: BaseException) -> str:
    """Return an exception's type and where it was raised; its text is left out, as it may quote a sensitive value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "unknown" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
    return f"{type(error).__name__} in {place}"
