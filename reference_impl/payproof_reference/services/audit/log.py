"""The audit log: who did what to what, when, from where, and what came of it (PCI DSS 10.2.1, 10.2.2).

A record is written in the transaction of the effect that it tells of, so there is neither an effect without a record
nor a record without an effect; when the log refuses, nothing happens. What happened although nothing was done, such
as a refusal, is recorded in a transaction of its own.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, Self

import structlog
from pydantic import SecretStr
from sqlalchemy import Connection, CursorResult, Engine, bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from payproof_reference.database.tables import audit_anchors, audit_log
from payproof_reference.services.audit import chain
from payproof_reference.services.audit.chain import GENESIS, Anchor, BrokenLog, IntactLog, Mark
from payproof_reference.settings import AuditSettings
from payproof_reference.telemetry import metrics

__all__ = ["Action", "AuditBrokenError", "AuditLog", "Record", "Result"]

log = structlog.get_logger()

# Rows at a time, when the log is read from end to end.
BATCH = 1000
# Built once, because every effect runs them. The lock is that of a row on PostgreSQL; SQLite has none, and its one
# write lock is held since BEGIN.
LOCK_END = select(audit_anchors).where(audit_anchors.c.name == "end").with_for_update()
MOVE = audit_anchors.update().where(audit_anchors.c.name == bindparam("moved"))
MOVE_FROM = MOVE.where(
    audit_anchors.c.sequence == bindparam("from_sequence"),
    audit_anchors.c.digest == bindparam("from_digest"),
    audit_anchors.c.seal == bindparam("from_seal"),
)
ADD = audit_log.insert()


class Action(StrEnum):
    """What happened: the column `event`."""

    SERVICE_STARTED = "service_started"
    WEBHOOK_RECEIVED = "webhook_received"
    WEBHOOK_DUPLICATE = "webhook_duplicate"
    WEBHOOK_REJECTED = "webhook_rejected"
    WEBHOOK_FAILED = "webhook_failed"
    CUSTOMER_CHANGED = "customer_changed"
    CUSTOMER_DELETED = "customer_deleted"
    SUBSCRIPTION_CREATED = "subscription_created"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    SUBSCRIPTION_CANCELLED = "subscription_cancelled"
    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    INVOICE_CLOSED = "invoice_closed"
    PAYMENT_REFUNDED = "payment_refunded"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_CHANGED = "dispute_changed"
    DISPUTE_CLOSED = "dispute_closed"
    CHECKOUT_CHANGED = "checkout_changed"
    OPERATION_REQUESTED = "operation_requested"
    OPERATION_DEFERRED = "operation_deferred"
    OPERATION_SUCCEEDED = "operation_succeeded"
    OPERATION_FAILED = "operation_failed"
    OPERATION_GIVEN_UP = "operation_given_up"
    SESSION_REQUESTED = "session_requested"
    SESSION_CREATED = "session_created"
    SESSION_FAILED = "session_failed"
    AUDIT_READ = "audit_read"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_LOCKED = "sign_in_locked"
    PERMISSION_REFUSED = "permission_refused"
    CARD_DATA_REFUSED = "card_data_refused"
    TENANT_CREATED = "tenant_created"
    CREDENTIAL_CREATED = "credential_created"
    CREDENTIAL_REVOKED = "credential_revoked"
    AUDIT_KEY_EXCHANGED = chain.KEY_EXCHANGED
    RETENTION_PURGED = "retention_purged"


class Result(StrEnum):
    """What came of it."""

    SUCCESS = "success"
    IGNORED = "ignored"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record before it is written; each field is a column of the table. The log adds time and order.

    Nothing in it may come from a sender who has not been verified, apart from the address.
    """

    event: Action
    actor: str
    result: Result
    origin: str
    reason: str | None = None
    object_id: str | None = None
    reference: str | None = None
    quantity: int | None = None
    tenant_id: str | None = None


FIELDS = tuple(field.name for field in fields(Record))
VALUES = attrgetter(*FIELDS)


class AuditBrokenError(Exception):
    """The end of the log is not as the service left it: to go on would cover the traces."""


class AuditLog:
    """The log under one key.

    Args:
        key: signs what is added.
        clock: gives seconds since the epoch.
        previous: the keys that the log had before, oldest first, for its check.
    """

    def __init__(
        self, key: SecretStr, clock: Callable[[], float] = time.time, *, previous: Sequence[SecretStr] = ()
    ) -> None:
        self._keys = [one.get_secret_value().encode() for one in (*previous, key)]
        self._key = self._keys[-1]
        self._previous = previous
        self._clock = clock
        # Where this process last saw the end: right as long as nobody else adds to the log, and never trusted.
        self._end: Anchor | None = None

    @classmethod
    def under(cls, settings: AuditSettings) -> Self:
        """Open the log under the keys of the settings."""
        return cls(settings.audit_key, previous=settings.audit_previous_keys)

    def begin(self, connection: Connection) -> None:
        """Seal the ends of a log that has never had a record; leave any other alone."""
        if read_anchors(connection) or connection.execute(select(audit_log.c.sequence).limit(1)).first():
            return
        for name in ("start", "end"):
            connection.execute(audit_anchors.insert().values(row_of(chain.seal_mark(self._key, name, GENESIS))))
        log.warning("audit_log_begun")

    def append(self, connection: Connection, *records: Record) -> None:
        """Add records in the caller's transaction, as the last thing in it: others wait here until it ends.

        Raises:
            AuditBrokenError: the end is missing or not genuine.
            SQLAlchemyError: the database refuses. Either way the caller's transaction must not be committed.
        """
        with metrics.AUDIT_APPEND_FAILURES.count_exceptions((SQLAlchemyError, AuditBrokenError)):
            if self._end is None or not self.extend(connection, self._end, records):
                end = chain.seal_mark(self._key, "end", self.lock_end(connection))
                if not self.extend(connection, end, records):
                    raise AuditBrokenError("the end of the audit log moved while it was locked")

    def extend(self, connection: Connection, end: Anchor, records: Sequence[Record]) -> bool:
        """Add records after an end, or return False when the log does not end there.

        Moving the end takes its lock, and waits while another transaction moves it; whether it still is where it is
        supposed to be is asked in the same statement.
        """
        mark, rows = end.mark, []
        for record in records:
            row = {"sequence": mark.sequence + 1, "recorded_at": int(self._clock()), **fields_of(record)}
            mark = Mark(mark.sequence + 1, chain.digest_of(self._key, mark.digest, row))
            rows.append(row | {"digest": mark.digest})
        moved = chain.seal_mark(self._key, "end", mark)
        place = {"from_sequence": end.mark.sequence, "from_digest": end.mark.digest, "from_seal": end.seal}
        if connection.execute(MOVE_FROM, {**row_of(moved), "moved": "end", **place}).rowcount != 1:
            return False
        connection.execute(ADD, rows)
        # At once: should this transaction come to nothing, the next one finds that the log does not end here.
        self._end = moved
        return True

    def exchange_key(self, connection: Connection, record: Record) -> None:
        """Add a last record under the previous key, then seal both ends under the present one, all in one transaction.

        Raises:
            AuditBrokenError: there is no previous key, or the log is not whole under it.
        """
        if not self._previous:
            raise AuditBrokenError("there is no previous key")
        before = AuditLog(self._previous[-1], self._clock, previous=self._previous[:-1])
        before.lock_end(connection)
        checked = before.verify(connection)
        if isinstance(checked, BrokenLog):
            raise AuditBrokenError(f"record {checked.sequence}: {checked.fault}")
        before.append(connection, record)
        for name, anchor in read_anchors(connection).items():
            self.move(connection, name, anchor.mark)

    def note(self, engine: Engine, record: Record) -> bool:
        """Add a record in a transaction of its own, or return False, with a line in the log, when that fails.

        For what was not done anyway: a refusal stands, recorded or not.
        """
        try:
            with engine.begin() as connection:
                self.append(connection, record)
        except (SQLAlchemyError, AuditBrokenError) as error:
            log.exception("audit_failed", audit_event=record.event, reason=record.reason, exc_info=error)
            return False
        return True

    def verify(
        self,
        connection: Connection,
        kept: Mark | None = None,
        *,
        after: Mark | None = None,
        pause: Callable[[], object] = lambda: None,
    ) -> IntactLog | BrokenLog:
        """Check the log in one transaction of a `snapshot`, from end to end.

        Args:
            connection: what sees the whole log at one moment.
            kept: a mark from an earlier check, against which the log is held.
            after: the same, when the records up to there need no second look; what was purged since is no loss.
            pause: called after each BATCH of records, to leave others their turn.
        """
        found = read_anchors(connection)
        start, end = found.get("start"), found.get("end")
        statement = select(audit_log).order_by(audit_log.c.sequence).execution_options(yield_per=BATCH)
        # Beyond the end it cannot shorten anything: the whole log is read, and is too short.
        if start and end and after and start.mark.sequence < after.sequence <= end.mark.sequence:
            if not start.is_genuine(self._key):
                return BrokenLog(1, chain.ChainFault.START_FORGED)
            start = chain.seal_mark(self._key, "start", after)
            statement = statement.where(audit_log.c.sequence > after.sequence)
        # Closed even when the check stops early: PostgreSQL reads ahead.
        with connection.execute(statement) as rows:
            return chain.check(self._keys, start, read_paced(rows, pause), end, kept or after)

    def lock_end(self, connection: Connection) -> Mark:
        """Read where the log ends, so that no other transaction can add to it before this one ends."""
        end = index_anchors(connection.execute(LOCK_END)).get("end")
        if end is None or not end.is_genuine(self._key):
            raise AuditBrokenError("the end of the audit log is missing or not genuine")
        return end.mark

    def move(self, connection: Connection, name: str, mark: Mark) -> None:
        """Seal an end of the log anew."""
        connection.execute(MOVE, row_of(chain.seal_mark(self._key, name, mark)) | {"moved": name})


def read_paced(rows: CursorResult[Any], pause: Callable[[], object]) -> Iterator[dict[str, Any]]:
    """Give rows one by one, with a pause after each batch."""
    for batch in rows.mappings().partitions():
        yield from map(dict, batch)
        pause()


def read_anchors(connection: Connection) -> dict[str, Anchor]:
    """Read both anchors by their names, genuine or not."""
    return index_anchors(connection.execute(select(audit_anchors)))


def index_anchors(rows: Iterable[Any]) -> dict[str, Anchor]:
    """Read rows of anchors."""
    return {row.name: Anchor(row.name, Mark(row.sequence, row.digest), row.seal) for row in rows}


def fields_of(record: Record) -> dict[str, Any]:
    """Lay a record out by its fields; `dataclasses.asdict` would copy each of them."""
    return dict(zip(FIELDS, VALUES(record), strict=True))


def row_of(anchor: Anchor) -> dict[str, str | int]:
    """Lay an anchor out as a row."""
    return {"name": anchor.name, "sequence": anchor.mark.sequence, "digest": anchor.mark.digest, "seal": anchor.seal}
