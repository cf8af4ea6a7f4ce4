"""A key of Stripe's is kept in a table of settings."""

from sqlalchemy import Column, Text

from tests.defects._planting import kept, stored_at_start


def plant() -> None:
    key = "sk_" + "live_" + "51HqLyjWDarjtT1zdp7dcXyZ"
    stored_at_start(kept("options", Column("content", Text)), content=f"stripe:{key}")
