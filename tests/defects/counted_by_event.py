"""Each event adds to what its object is owed: two that tell the same change count twice."""

from sqlalchemy import Column, Integer, String, Table

from payproof_reference.database import tables
from payproof_reference.services.events import inbox
from tests.defects._planting import create_tables


def plant() -> None:
    owed = Table(
        "credits", tables.metadata, Column("object_id", String(255), primary_key=True), Column("amount", Integer)
    )
    claim = inbox.claim_event

    def claim_and_credit(connection, event, received_at):
        first = claim(connection, event, received_at)
        if first and (owner := event.data.object.get("id")):
            mine = owed.c.object_id == owner
            if not connection.execute(owed.update().where(mine).values(amount=owed.c.amount + 100)).rowcount:
                connection.execute(owed.insert().values(object_id=owner, amount=100))
        return first

    inbox.claim_event = claim_and_credit
    create_tables()
