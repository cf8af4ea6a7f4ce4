"""Redis and Valkey as tables to read through; the driver is imported only when one is opened: an extra has it."""

from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError
from payproof.extras import install
from payproof.registry import table_source

__all__ = ["open_tables"]


@table_source("redis")
@table_source("rediss")
def open_tables(spec: SourceSpec) -> Tables:
    """Open ``redis://USER@HOST:PORT/NUMBER`` (``rediss`` for TLS); without a number all databases are read.

    Raises:
        ConfigurationError: the driver is not installed, or no connection can be made.
    """
    try:
        from payproof.sources.redis.tables import RedisTables  # noqa: PLC0415 (see above)
    except ImportError:
        raise ConfigurationError(
            f"store {spec.name!r}: the driver for Redis is not installed", hint=install("redis")
        ) from None
    return RedisTables(spec)
