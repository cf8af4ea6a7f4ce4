"""The object of an event is kept whatever its type is, also of one that nobody has ever handled."""

from sqlalchemy import Column, Integer, String, Table

from payproof_reference.database import tables
from payproof_reference.services.events import event_types, inbox
from tests.defects._planting import create_tables


def plant() -> None:
    things = Table(
        "things", tables.metadata, Column("number", Integer, primary_key=True), Column("object_id", String(255))
    )
    claim = inbox.claim_event

    def claim_and_keep(connection, event, received_at):
        first = claim(connection, event, received_at)
        if first and event_types.read_snapshot(event) is None:
            connection.execute(things.insert().values(object_id=event.data.object.get("id")))
        return first

    inbox.claim_event = claim_and_keep
    create_tables()
