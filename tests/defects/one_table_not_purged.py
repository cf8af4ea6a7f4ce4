"""The purge leaves out the payments."""

from reference_impl.services import retention


def plant() -> None:
    due = retention.due
    retention.due = lambda now: ((table, condition) for table, condition in due(now) if table.name != "payments")
