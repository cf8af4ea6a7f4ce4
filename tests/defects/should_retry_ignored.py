"""A call is repeated though Stripe says that the same answer would come again."""

from dataclasses import replace

from payproof_reference.services.stripe import retry


def plant() -> None:
    may_repeat = retry.may_repeat
    retry.may_repeat = lambda failure: may_repeat(replace(failure, should_retry=None))
