"""A card number that is not one of those for tests is left in a column for numbers."""

from sqlalchemy import Column, Numeric

from payproof.scan.luhn import is_valid
from tests.defects._planting import kept, stored_at_start


def plant() -> None:
    number = "55554444" + "3333" + "22"
    number = next(one for one in (number + f"{last:02d}" for last in range(100)) if is_valid(one))
    stored_at_start(kept("imported", Column("card", Numeric(19))), card=int(number))
