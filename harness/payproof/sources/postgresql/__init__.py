"""PostgreSQL as a store; the driver is imported only when one is opened, as only the extra ``postgresql`` has it."""

from payproof.domain.source import Store
from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError
from payproof.extras import install
from payproof.registry import store_source, table_source

__all__ = ["open_store", "open_tables"]


@store_source("postgresql")
def open_store(spec: SourceSpec) -> Store:
    """Open ``postgresql://USER@HOST:PORT/DATABASE``, as libpq reads it.

    Raises:
        ConfigurationError: the driver is not installed, or no connection can be made.
    """
    try:
        from payproof.sources.postgresql.store import PostgresqlStore  # noqa: PLC0415 (see above)
    except ImportError:
        raise _without_driver(spec) from None
    store = PostgresqlStore(spec)
    store.try_connection()
    return store


@table_source("postgresql")
def open_tables(spec: SourceSpec) -> Tables:
    """Open ``postgresql://USER@HOST:PORT/DATABASE``, as libpq reads it.

    Raises:
        ConfigurationError: the driver is not installed, or no connection can be made.
    """
    try:
        from payproof.sources.postgresql.tables import PostgresqlTables  # noqa: PLC0415 (see above)
    except ImportError:
        raise _without_driver(spec) from None
    return PostgresqlTables(spec)


def _without_driver(spec: SourceSpec) -> ConfigurationError:
    return ConfigurationError(
        f"store {spec.name!r}: the driver for PostgreSQL is not installed", hint=install("postgresql")
    )
