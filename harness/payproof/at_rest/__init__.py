"""The search of data at rest: files, streams and databases, to traces of payment data and what was not read."""

from functools import cache

from payproof.at_rest.judging import judged
from payproof.at_rest.searching import Options, Progress, search
from payproof.at_rest.specs import SourceSpecs, read_specs
from payproof.at_rest.veil import Veil
from payproof.registry import detectors_at_rest

__all__ = ["Options", "Progress", "SourceSpecs", "conceal", "judged", "read_specs", "search"]


def conceal(text: str) -> str:
    """Return a text without any payment data: the last look at all that is shown or written.

    Raises:
        PayproofError: it cannot be masked.
    """
    return _veil().over(text)


@cache
def _veil() -> Veil:
    return Veil(detectors_at_rest())
