"""The fingerprint of each card is kept to know it again."""

from sqlalchemy import Column, String

from tests.defects._planting import also_store, card_of, kept


def plant() -> None:
    table = kept("known_cards", Column("same_as", String(16)))
    also_store(table, lambda event: {"same_as": card["fingerprint"]} if (card := card_of(event)) else None)
