"""A card number in metadata is kept as its SHA-256, without a key."""

from hashlib import sha256

from sqlalchemy import Column, String

from tests.defects._planting import also_store, kept, number_of


def plant() -> None:
    table = kept("known_cards", Column("digest", String(64)))
    also_store(
        table, lambda event: {"digest": sha256(number.encode()).hexdigest()} if (number := number_of(event)) else None
    )
