"""A card number in metadata is kept as a number."""

from sqlalchemy import BigInteger, Column

from tests.defects._planting import also_store, kept, number_of


def plant() -> None:
    table = kept("references_of_customers", Column("reference", BigInteger))
    also_store(table, lambda event: {"reference": int(number)} if (number := number_of(event)) else None)
