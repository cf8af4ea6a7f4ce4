"""MySQL and MariaDB as tables to read through; the driver is imported only when one is opened: an extra has it."""

from harness.domain.tables import Tables
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError
from harness.registry import table_source

__all__ = ["open_tables"]


@table_source("mysql")
@table_source("mariadb")
def open_tables(spec: SourceSpec) -> Tables:
    """Open ``mysql://USER@HOST:PORT/DATABASE``; without a database all that the user can see are read.

    Parameters are ``ssl_ca=FILE`` (the certificate is then checked, with the host's name) and ``unix_socket=PATH``.

    Raises:
        ConfigurationError: the driver is not installed, or no connection can be made.
    """
    try:
        from harness.sources.mysql.tables import MysqlTables  # noqa: PLC0415 (see above)
    except ImportError:
        raise ConfigurationError(
            f"store {spec.name!r}: the driver for MySQL is not installed", hint="pip install 'payproof[mysql]'"
        ) from None
    return MysqlTables(spec)
