"""The issuer of each card is kept in a JSON column."""

from sqlalchemy import JSON, Column

from tests.defects._planting import also_store, card_of, kept


def plant() -> None:
    table = kept("banks", Column("details", JSON))
    also_store(
        table, lambda event: {"details": {"bank": {"name": card.get("issuer")}}} if (card := card_of(event)) else None
    )
