"""The event that comes last counts, whenever it was made: a late one overwrites what is newer."""

from sqlalchemy import true

from payproof_reference.services.state import ordering


def plant() -> None:
    ordering.is_newer = lambda *_, **__: true()
