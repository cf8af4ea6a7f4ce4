"""SQLite as a store to watch and as tables to read through."""

from pathlib import Path

from payproof.domain.source import Store
from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError
from payproof.registry import store_source, table_source
from payproof.sources.sqlite.store import SqliteStore
from payproof.sources.sqlite.tables import SqliteTables

__all__ = ["open_store", "open_tables"]


@store_source("sqlite")
def open_store(spec: SourceSpec) -> Store:
    """Open ``sqlite:PATH``.

    Raises:
        ConfigurationError: there is no such database.
    """
    return SqliteStore(spec, _path(spec))


@table_source("sqlite")
def open_tables(spec: SourceSpec) -> Tables:
    """Open ``sqlite:PATH``.

    Raises:
        ConfigurationError: there is no such database.
    """
    return SqliteTables(spec, _path(spec))


def _path(spec: SourceSpec) -> Path:
    path = Path(spec.url.removeprefix("sqlite:"))
    if not path.is_file():
        raise ConfigurationError(f"store {spec.name!r}: there is no SQLite database at {path}")
    return path
