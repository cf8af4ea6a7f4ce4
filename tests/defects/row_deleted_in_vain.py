"""Metadata is kept while an event is handled and then deleted, but its bytes stay in the database's files."""

import json

from sqlalchemy import Column, Text, delete

from payproof_reference.services.events import inbox
from tests.defects._planting import also_store, kept


def plant() -> None:
    table = kept("scratch", Column("content", Text))
    also_store(table, lambda event: {"content": json.dumps(event["data"]["object"].get("metadata"))})
    settle = inbox.note_outcome

    def settled(connection, event, receipt):
        connection.execute(delete(table))
        return settle(connection, event, receipt)

    inbox.note_outcome = settled
