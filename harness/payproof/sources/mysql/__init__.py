"""MySQL and MariaDB as a store to watch and as tables to read through.

The driver is imported only when one is opened: an extra has it.
"""

from payproof.domain.source import Store
from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError
from payproof.extras import install
from payproof.registry import store_source, table_source

__all__ = ["open_store", "open_tables"]


@store_source("mysql")
@store_source("mariadb")
def open_store(spec: SourceSpec) -> Store:
    """Open ``mysql://USER@HOST:PORT/DATABASE``, with the parameters of ``open_tables``.

    Raises:
        ConfigurationError: the driver is not installed, the URL names no database, or no connection can be made.
    """
    try:
        from payproof.sources.mysql.store import MysqlStore  # noqa: PLC0415 (see above)
    except ImportError:
        raise _no_driver(spec) from None
    store = MysqlStore(spec)
    store.try_connection()
    return store


@table_source("mysql")
@table_source("mariadb")
def open_tables(spec: SourceSpec) -> Tables:
    """Open ``mysql://USER@HOST:PORT/DATABASE``; without a database all that the user can see are read.

    Parameters are ``ssl_ca=FILE`` (the certificate is then checked, with the host's name) and ``unix_socket=PATH``.

    Raises:
        ConfigurationError: the driver is not installed, or no connection can be made.
    """
    try:
        from payproof.sources.mysql.tables import MysqlTables  # noqa: PLC0415 (see above)
    except ImportError:
        raise _no_driver(spec) from None
    return MysqlTables(spec)


def _no_driver(spec: SourceSpec) -> ConfigurationError:
    problem = f"store {spec.name!r}: the driver for MySQL is not installed"
    return ConfigurationError(problem, hint=install("mysql"))
