"""The brand of each card is kept."""

from sqlalchemy import Column, String

from tests.defects._planting import also_store, card_of, kept


def plant() -> None:
    table = kept("brands", Column("scheme", String(20)))
    also_store(table, lambda event: {"scheme": card["brand"].upper()} if (card := card_of(event)) else None)
