"""A call that came to nothing is given up at once, and never made again."""

from payproof_reference.services.operations import transitions
from payproof_reference.services.stripe import retry


def plant() -> None:
    retry.may_repeat = lambda _failure: False
    transitions.is_passing = lambda _error: False
