"""The first eight and the last four digits of a card number are kept as numbers in two tables."""

from sqlalchemy import Column, Integer

from tests.defects._planting import also_store, kept, number_of


def plant() -> None:
    issuers = kept("issuers", Column("iin", Integer))
    endings = kept("endings", Column("ending", Integer))
    also_store(issuers, lambda event: {"iin": int(number[:8])} if (number := number_of(event)) else None)
    also_store(endings, lambda event: {"ending": int(number[-4:])} if (number := number_of(event)) else None)
