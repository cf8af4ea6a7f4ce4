"""A subscription whose renewal was not paid goes on as active: only its end is taken notice of."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    rewrite_rows(lambda _, row, __: row | {"status": "active"} if row.get("status") == "past_due" else row)
