"""A refund of a part of a payment is taken for one of the whole."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    rewrite_rows(lambda _, row, __: row | {"amount_refunded": row["amount"]} if row.get("amount_refunded") else row)
