"""The last four digits of each card are kept to be shown to customers."""

from sqlalchemy import Column, String

from tests.defects._planting import also_store, card_of, kept


def plant() -> None:
    table = kept("cards_on_file", Column("shown_as", String(30)))
    also_store(table, lambda event: {"shown_as": f"**** {card['last4']}"} if (card := card_of(event)) else None)
