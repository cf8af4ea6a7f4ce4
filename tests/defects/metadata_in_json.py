"""The metadata of an object is kept in a JSON column."""

from sqlalchemy import JSON, Column

from tests.defects._planting import also_store, kept


def plant() -> None:
    table = kept("notes", Column("content", JSON))
    also_store(table, lambda event: {"content": event["data"]["object"].get("metadata")})
