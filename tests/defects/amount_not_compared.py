"""What a subscription costs is not compared with the plan."""

from dataclasses import replace

from payproof_reference.routes import subscriptions


def plant() -> None:
    right = subscriptions.is_entitled
    subscriptions.is_entitled = lambda terms, plans, now: right(replace(terms, unit_amount=None), plans, now)
