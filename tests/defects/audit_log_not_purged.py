"""The purge leaves out the audit log, which keeps addresses forever."""

from tests.defects._planting import never_purge


def plant() -> None:
    never_purge("audit_log")
