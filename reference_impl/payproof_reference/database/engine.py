"""The connection to the database: a SQLite file, or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from payproof_reference.database import tables
from payproof_reference.settings import MisconfiguredError
from payproof_reference.vetting import LOOPBACK

__all__ = ["insert", "insert_into", "open_database", "open_snapshot", "parse_address", "probe"]

# Together below the 10 seconds after which a sender gives up on an answer.
LOCK_WAIT_MILLISECONDS = 3000
STATEMENT_MILLISECONDS = 5000
POOL_WAIT_SECONDS = 5
# SQLite has one writer. A short queue of connections waits in order, while many would poll for the lock.
# On PostgreSQL effects overlap, and only the audit log's end is written by one at a time.
CONNECTIONS = {"sqlite": 4, "postgresql": 10}
# A statement that hangs is cut before the sender gives up; synchronous_commit is said because a role can turn it off,
# and once Stripe has its 200 it does not send the event again.
POSTGRESQL_OPTIONS = (
    f"-c lock_timeout={LOCK_WAIT_MILLISECONDS} -c statement_timeout={STATEMENT_MILLISECONDS} "
    "-c idle_in_transaction_session_timeout=10000 -c synchronous_commit=on -c timezone=UTC"
)
# The others go on in clear when the server has no TLS, or when somebody in between says so: `prefer` is the default.
SSL_MODES = frozenset({"require", "verify-ca", "verify-full"})


def parse_address(address: str, setting: str) -> URL:
    """Read the SQLAlchemy URL of a SQLite file or a PostgreSQL database; the driver for the latter is psycopg 3.

    Raises:
        MisconfiguredError: it is none. The text names the setting and does not hold the URL.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise MisconfiguredError(f"{setting}: not a database URL") from None
    match url.get_backend_name():
        case "postgresql" if url.database:
            return url.set(drivername="postgresql+psycopg")
        # A database in memory would forget its inbox at every start, and with it which events were applied.
        case "sqlite" if url.database not in {None, "", ":memory:"}:
            return url
    raise MisconfiguredError(
        f"{setting}: must name a SQLite file, as in sqlite:////var/lib/billing.db, or a PostgreSQL database"
    )


def open_database(address: str, *, setting: str = "BILLING_DATABASE_URL", patient: bool = False) -> Engine:
    """Connect to the database that a SQLAlchemy URL names.

    Args:
        address: the URL.
        setting: where the URL comes from, for the message.
        patient: without a limit to the time that a statement may take, for maintenance.

    Raises:
        MisconfiguredError: the URL is of no kind that is supported, the way to the database is not encrypted, or the
            database cannot be used. The text does not hold the URL.
    """
    url = parse_address(address, setting)
    backend = url.get_backend_name()
    if backend == "postgresql" and not is_private(url):
        raise MisconfiguredError(
            f"{setting}: to another machine PostgreSQL needs TLS: sslmode=verify-full with sslrootcert, at the least "
            "sslmode=require"
        )
    options = {"connect_timeout": POOL_WAIT_SECONDS, "options": "" if patient else POSTGRESQL_OPTIONS}
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=CONNECTIONS[backend],
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            connect_args=options if backend == "postgresql" else {},
        )
        if backend == "sqlite":
            event.listen(engine, "connect", prepare)
            event.listen(engine, "begin", begin)
        engine.connect().close()
    except SQLAlchemyError:
        raise MisconfiguredError(f"{setting}: the database cannot be used") from None
    return engine


def is_private(url: URL) -> bool:
    """Tell whether nobody can read along on the way to PostgreSQL: by TLS, or by never leaving the machine.

    There is no exception for networks that are called private (PCI DSS 4.2.1 would allow one): the password and every
    row go over them, and a certificate of one's own costs little. What the URL leaves open is filled in as libpq does
    it, from PG* variables and its service file.
    """
    from psycopg import pq  # noqa: PLC0415 - not needed with SQLite

    _, given = url.get_dialect()().create_connect_args(url)
    if "service" in given:
        return False
    usual = {option.keyword.decode(): option.val.decode() for option in pq.Conninfo.get_defaults() if option.val}
    options = {**usual, **given}
    if options.get("sslmode") in SSL_MODES:
        return True
    # Empty is the socket of the default folder; what begins so is a socket too.
    hosts = str(options.get("hostaddr") or options.get("host") or "").split(",")
    return all(host in LOOPBACK or not host or host.startswith(("/", "@")) for host in hosts)


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
    """Start a SQLite transaction, with the write lock unless the connection was opened to read."""
    mode = "DEFERRED" if connection.get_execution_options().get("read_only") else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")


@contextmanager
def open_snapshot(engine: Engine) -> Iterator[Connection]:
    """Open a connection to read with: all that it sees is of one moment."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {"read_only": True}
    with engine.connect().execution_options(**options) as connection:
        yield connection


def insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Build an INSERT that knows ON CONFLICT, for the database of a connection."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Build an INSERT that knows ON CONFLICT, which both databases spell alike and SQLAlchemy keeps apart."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def probe(engine: Engine) -> None:
    """Read from the database.

    Raises:
        SQLAlchemyError: it does not answer.
    """
    with engine.connect().execution_options(read_only=True) as connection:
        connection.execute(select(tables.inbox.c.stripe_event_id).limit(1))
