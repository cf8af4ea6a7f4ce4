"""The connection to the database."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from reference_impl.database import tables
from reference_impl.settings import MisconfiguredError

__all__ = ["open_database", "probe"]

# SQLite has one writer. A short queue of connections waits in order, while many would poll for the lock.
CONNECTIONS = 4
# Together below the 10 seconds after which a sender gives up on an answer.
LOCK_WAIT_MILLISECONDS = 3000
POOL_WAIT_SECONDS = 5


def open_database(address: str) -> Engine:
    """Open the SQLite file that a SQLAlchemy URL names, and create the tables that it lacks.

    Raises:
        MisconfiguredError: the URL is none, is not that of a SQLite file, or the file cannot be used. The text does
            not hold the URL.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise MisconfiguredError("BILLING_DATABASE_URL: not a database URL") from None
    # A database in memory would forget its inbox at every start, and with it which events were applied.
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        raise MisconfiguredError("BILLING_DATABASE_URL: must name a SQLite file, as in sqlite:////var/lib/billing.db")
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=POOL_WAIT_SECONDS
        )
        event.listen(engine, "connect", prepare)
        event.listen(engine, "begin", begin)
        tables.metadata.create_all(engine)
    except SQLAlchemyError:
        raise MisconfiguredError("BILLING_DATABASE_URL: the database cannot be used") from None
    return engine


def prepare(connection: Any, _record: object) -> None:
    """Set up one new SQLite connection: durable, and patient with other writers."""
    # Leaves BEGIN to us: the driver would send it late, after reads, and then fail instead of waiting for the lock.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: once Stripe has its 200 it does not send the event again, not even after our power failed.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def begin(connection: Connection) -> None:
    """Start a transaction, with the write lock unless the connection was opened to read."""
    mode = "DEFERRED" if connection.get_execution_options().get("read_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


def probe(engine: Engine) -> None:
    """Read from the database.

    Raises:
        SQLAlchemyError: it does not answer.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        connection.execute(select(tables.inbox.c.stripe_event_id).limit(1))
