"""The purge removes records of the audit log after half a year, though a year of them must be at hand."""

from dataclasses import replace

from payproof_reference.database import tables


def plant() -> None:
    tables.audit_log.info["retention"] = replace(tables.audit_log.info["retention"], days=183)
