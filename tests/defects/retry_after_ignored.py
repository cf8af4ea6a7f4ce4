"""Stripe is asked again at once, though it said how long to wait."""

from dataclasses import replace

from payproof_reference.services.stripe import calls


def plant() -> None:
    decide = calls.decide
    calls.decide = lambda attempt, failure, policy, **rest: decide(
        attempt, replace(failure, retry_after=None), policy, **rest
    )
