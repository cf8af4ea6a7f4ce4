"""A call that came to nothing is not made again while its caller waits."""

from reference_impl.services.stripe import retry


def plant() -> None:
    retry.may_repeat = lambda _failure: False
