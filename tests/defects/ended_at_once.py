"""A subscription that is to end with its period is taken for ended at once."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    rewrite_rows(lambda _, row, __: row | {"status": "canceled"} if row.get("cancel_at_period_end") else row)
