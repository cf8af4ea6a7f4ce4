"""PostgreSQL as a store; the driver is imported only when one is opened, as only the extra ``postgresql`` has it."""

from harness.domain.contracts import Store
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError
from harness.registry import store_source

__all__ = ["open_store"]


@store_source("postgresql")
def open_store(spec: SourceSpec) -> Store:
    """Open ``postgresql://USER@HOST:PORT/DATABASE``, as libpq reads it.

    Raises:
        ConfigurationError: the driver is not installed, or no connection can be made.
    """
    try:
        from harness.sources.postgresql.store import PostgresqlStore  # noqa: PLC0415 (see above)
    except ImportError:
        raise ConfigurationError(
            f"store {spec.name!r}: the driver for PostgreSQL is not installed",
            hint="pip install 'payproof[postgresql]'",
        ) from None
    store = PostgresqlStore(spec)
    store.try_connection()
    return store
