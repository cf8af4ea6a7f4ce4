"""A Checkout session that is complete is taken for paid, though the money is still on its way."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    rewrite_rows(lambda table, row, _: row | {"payment_status": "paid"} if table == "checkout_sessions" else row)
