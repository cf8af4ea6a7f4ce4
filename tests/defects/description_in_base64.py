"""The description of an object is kept, in base64."""

from base64 import b64encode

from sqlalchemy import Column, Text

from tests.defects._planting import also_store, kept


def plant() -> None:
    table = kept("descriptions", Column("content", Text))
    also_store(table, lambda event: {"content": b64encode(str(event["data"]["object"].get("description")).encode())})
