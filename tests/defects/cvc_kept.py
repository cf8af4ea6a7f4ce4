"""The CVC that somebody typed into an object's metadata is kept."""

from sqlalchemy import Column, String

from tests.defects._planting import also_store, kept


def plant() -> None:
    table = kept("checks", Column("cvc", String(4)))
    also_store(table, lambda event: {"cvc": (event["data"]["object"].get("metadata") or {}).get("cvc")})
