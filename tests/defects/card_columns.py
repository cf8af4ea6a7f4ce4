"""There is a table for cards, though nothing is in it yet."""

from sqlalchemy import Column, String

from tests.defects._planting import create_tables, kept


def plant() -> None:
    kept("cards", Column("holder", String(100)), Column("card_number", String(19)))
    create_tables()
