"""The expiry of each card is kept."""

from sqlalchemy import Column, String

from tests.defects._planting import also_store, card_of, kept


def plant() -> None:
    table = kept("expiries", Column("ends", String(5)))
    also_store(
        table,
        lambda event: (
            {"ends": f"{card['exp_month']:02d}/{card['exp_year'] % 100}"} if (card := card_of(event)) else None
        ),
    )
