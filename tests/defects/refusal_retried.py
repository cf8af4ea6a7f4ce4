"""What Stripe refuses is asked again, though it stays refused."""

from payproof_reference.services.stripe import retry


def plant() -> None:
    may_repeat = retry.may_repeat
    retry.may_repeat = lambda failure: failure.status in {400, 404} or may_repeat(failure)
