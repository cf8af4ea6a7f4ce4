"""SQLite as a store to watch and as tables to read through."""

from pathlib import Path

from harness.domain.contracts import Store
from harness.domain.tables import Tables
from harness.domain.target import SourceSpec
from harness.errors import ConfigurationError
from harness.registry import store_source, table_source
from harness.sources.sqlite.store import SqliteStore
from harness.sources.sqlite.tables import SqliteTables

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
