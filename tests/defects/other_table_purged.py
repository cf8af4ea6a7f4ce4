"""The purge empties the inbox, so that events can be applied twice."""

from sqlalchemy import true

from reference_impl.database import tables
from reference_impl.services import retention


def plant() -> None:
    due = retention.due

    def also_inbox(now):
        for table, condition in due(now):
            yield table, true() if table is tables.inbox else condition

    retention.due = also_inbox
