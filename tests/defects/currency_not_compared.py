"""The currency of a subscription is not compared with the plan's: a thousand of any will do."""

from dataclasses import replace

from payproof_reference.routes import subscriptions


def plant() -> None:
    right = subscriptions.is_entitled
    subscriptions.is_entitled = lambda terms, plans, now: right(replace(terms, currency=None), plans, now)
