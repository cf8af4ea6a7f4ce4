"""The first six digits of a card number are kept in one table, the last four in another."""

from sqlalchemy import Column, String

from tests.defects._planting import also_store, kept, number_of


def plant() -> None:
    issuers = kept("issuers", Column("iin", String(8)))
    endings = kept("endings", Column("ending", String(8)))
    also_store(issuers, lambda event: {"iin": number[:6]} if (number := number_of(event)) else None)
    also_store(endings, lambda event: {"ending": number[-4:]} if (number := number_of(event)) else None)
