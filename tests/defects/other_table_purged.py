"""The purge empties the inbox, so that events can be applied twice."""

from sqlalchemy import true

from payproof_reference.database import tables
from payproof_reference.services.audit import retention


def plant() -> None:
    due = retention.list_due

    def also_inbox(now):
        for table, condition in due(now):
            yield table, true() if table is tables.inbox else condition

    retention.list_due = also_inbox
