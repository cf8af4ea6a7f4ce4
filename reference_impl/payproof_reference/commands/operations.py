"""The command that lists operations: which are pending and since when, and which the service gave up."""

import os
import time

from payproof_reference.database import schema
from payproof_reference.database.engine import open_database
from payproof_reference.services.operations import queue
from payproof_reference.services.operations.queue import OperationRow, Status
from payproof_reference.settings import DatabaseSettings, load_settings

__all__ = ["show_operations"]

# Rows at a time, so that a long outage does not fill the memory.
BATCH = 1000


def show_operations(status: Status | None) -> int:
    """Print the operations of one status or of all, newest first, and then how much is pending.

    Raises:
        MisconfiguredError: a setting is missing, or the database is not as this release needs it.
    """
    settings = load_settings(DatabaseSettings)
    engine = open_database(settings.database_url.get_secret_value(), patient=True)
    now = int(time.time())
    try:
        schema.require_schema(engine)
        with engine.connect().execution_options(read_only=True, yield_per=BATCH) as connection:
            for row in connection.execute(queue.build_listing(status)).mappings():
                print(write_line(queue.read_row(row), now))  # noqa: T201 - the answer to a command
            left = queue.count_backlog(connection, now)
    finally:
        engine.dispose()
    print(f"pending: {left.pending}; oldest: {left.oldest_seconds} s")  # noqa: T201 - as above
    return os.EX_OK


def write_line(operation: OperationRow, now: int) -> str:
    """Tell of one operation in one line: times in seconds from now, ids to look for at Stripe and in the log."""
    words = [
        operation.operation_id,
        operation.kind,
        operation.status,
        f"age={now - operation.created_at}s",
        f"attempts={operation.attempts}",
    ]
    if operation.next_attempt_at is not None:
        words.append(f"next={max(0, operation.next_attempt_at - now)}s")
    words += [word for word in (operation.category, operation.target_id, operation.stripe_result_id) if word]
    return "  ".join(words)
