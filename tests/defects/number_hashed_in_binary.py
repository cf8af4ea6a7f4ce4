"""A card number in metadata is kept as its SHA-1 in bytes, without a key."""

from hashlib import sha1

from sqlalchemy import Column, LargeBinary

from tests.defects._planting import also_store, kept, number_of


def plant() -> None:
    table = kept("known_cards", Column("digest", LargeBinary))
    also_store(
        table,
        lambda event: {"digest": sha1(number.encode()).digest()} if (number := number_of(event)) else None,
    )
