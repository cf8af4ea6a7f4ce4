"""Searches data at rest: files, streams and databases. It yields leaks of payment data, and what was not read."""

from functools import cache

from payproof.at_rest.changes import Changes
from payproof.at_rest.judge import judge_leaks
from payproof.at_rest.redact import Redactor
from payproof.at_rest.searching import Options, Progress, search
from payproof.at_rest.specs import SourceSpecs, read_specs
from payproof.registry import detectors_at_rest

__all__ = ["Changes", "Options", "Progress", "SourceSpecs", "conceal", "judge_leaks", "read_specs", "search"]


def conceal(text: str) -> str:
    """Return a text without any payment data: the last look at all that is shown or written.

    Raises:
        PayproofError: it cannot be masked.
    """
    return _redactor().redact(text)


@cache
def _redactor() -> Redactor:
    return Redactor(detectors_at_rest())
