"""The purge removes operations that are still to be done."""

from dataclasses import replace

from payproof_reference.database import tables


def plant() -> None:
    tables.operations.info["retention"] = replace(tables.operations.info["retention"], ended=None)
