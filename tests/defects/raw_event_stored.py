"""Every accepted event is kept as it came, with the personal data that it carries."""

import time

from sqlalchemy import Column, Integer, String, Table, Text

from payproof_reference.database import tables
from payproof_reference.services.events import inbox
from tests.defects._planting import create_tables


def plant() -> None:
    archive = Table(
        "events",
        tables.metadata,
        Column("number", Integer, primary_key=True),
        Column("received_at", Integer),
        Column("stripe_event_id", String(255)),
        Column("payload", Text),
    )
    claim = inbox.claim_event

    def archived(connection, event, received_at):
        first = claim(connection, event, received_at)
        if first:
            row = {"received_at": int(time.time()), "stripe_event_id": event.id, "payload": event.model_dump_json()}
            connection.execute(archive.insert().values(row))
        return first

    inbox.claim_event = archived
    create_tables()
