"""The purge removes old rows whatever their status, also subscriptions that still run."""

from dataclasses import replace

from payproof_reference.database import tables


def plant() -> None:
    for table in tables.metadata.tables.values():
        table.info["retention"] = replace(table.info["retention"], ended=None)
