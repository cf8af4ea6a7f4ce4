"""A declined card is tried again at once, which card networks punish."""

from payproof_reference.services.stripe import retry


def plant() -> None:
    may_repeat = retry.may_repeat
    retry.may_repeat = lambda failure: failure.status == 402 or may_repeat(failure)
