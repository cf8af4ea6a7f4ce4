"""A published test card number is left in a table from development."""

from sqlalchemy import JSON, Column

from tests.defects._planting import kept, stored_at_start


def plant() -> None:
    stored_at_start(kept("samples", Column("content", JSON)), content={"card": {"number": "4242" * 4}})
