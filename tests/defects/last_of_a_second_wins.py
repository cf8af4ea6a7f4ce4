"""Of two events of one second the one that comes last counts, and Stripe is not asked which is newer."""

from payproof_reference.services.state import ordering


def plant() -> None:
    ordering.is_newer = lambda table, incoming, **_: incoming.event_created_at >= table.c.event_created_at
