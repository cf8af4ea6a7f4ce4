"""A dispute is opened, and nobody takes notice of how it ends."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    rewrite_rows(lambda table, row, _: row | {"status": "needs_response"} if table == "disputes" else row)
