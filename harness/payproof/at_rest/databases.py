"""Searches every table of a database, and the names and types of its columns."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from payproof.at_rest.leaks import contain_errors, make_event, suspect_columns
from payproof.at_rest.named_values import SievingScanner, scan_named
from payproof.domain.finding import Confidence
from payproof.domain.leak import NotRead, Place, SearchEvent, UnitSearched
from payproof.domain.tables import Column, Table, Tables
from payproof.errors import InconclusiveError, Reason, record_fault
from payproof.schema_audit import list_json_keys

__all__ = ["search_tables"]

_MOST_PARSED = 500  # values of one column that are looked into for their keys
_MOST_TEXT = 64 * 1024
_MOST_KEYS = 2000


def search_tables(
    tables: Tables,
    scanner: SievingScanner,
    *,
    at_least: Confidence,
    most: int | None = None,
    skipped: Callable[[str], bool] = lambda _: False,
    progress: Callable[[str, int, int | None], None] = lambda _unit, _rows, _of: None,
) -> Iterator[SearchEvent]:
    """Search every table of a database, and its columns' names and types.

    Args:
        tables: the database.
        scanner: what searches the values.
        at_least: how sure a suspicion about a column must be to be reported.
        most: rows of a table, if not all.
        skipped: says of a unit's name whether it was searched before.
        progress: is called with a unit, its rows so far, and about how many it has.
    """
    name = tables.name
    try:
        columns, listed = tables.columns(), tables.tables()
    except InconclusiveError as error:
        yield NotRead(Place(name), error.detail.removeprefix(f"{name}: "))
        return
    except Exception as error:  # noqa: BLE001 (a database may not end the search of the others)
        yield NotRead(Place(name), f"{Reason.HARNESS_FAULT.value}: {record_fault(error)}")
        return
    for table in listed:
        unit = f"{name} table {table.name}"
        if skipped(unit):
            continue
        own = [column for column in columns if column.table == table.name]
        read = _TableReader(tables, table, most, partial(_report_progress, progress, unit, table.rows))
        yield from contain_errors(Place(name, table=table.name), _search_table(read, own, scanner, at_least))
        sampled = most is not None and read.rows >= most
        yield UnitSearched(unit, rows=read.rows, of=table.rows, sampled=sampled)


def _search_table(
    read: "_TableReader", columns: Sequence[Column], scanner: SievingScanner, at_least: Confidence
) -> Iterator[SearchEvent]:
    name, table = read.tables.name, read.table.name
    for (key, column), found in scan_named(scanner, read.cells()):
        place = Place(name, table=table, field=column, key=key, path=found.path)
        yield make_event(found, place)
    if read.unread:
        yield NotRead(Place(name, table=table), read.unread.removeprefix(f"{name}, table {table}: "))
    keys = [Column(table, f"{column}.{path}", "json") for column, path in read.keys]
    yield from suspect_columns(Place(name, table=table), columns, keys, at_least)


def _report_progress(progress: Callable[[str, int, int | None], None], unit: str, of: int | None, rows: int) -> None:
    progress(unit, rows, of)


class _TableReader:
    """One table's values on their way to the scanner: rows are counted, keys of JSON are remembered.

    ``unread`` is why they ended before their end; what came until then is still searched.
    """

    def __init__(self, tables: Tables, table: Table, most: int | None, progress: Callable[[int], None]) -> None:
        self.tables, self.table = tables, table
        self.rows = 0
        self.unread = ""
        self.keys: dict[tuple[str, str], None] = {}
        self._most, self._progress = most, progress
        self._parsed: dict[str, int] = {}

    def cells(self) -> Iterator[tuple[tuple[str, str], str, object]]:
        last = None
        try:
            for key, column, value in self.tables.rows(self.table.name, self._most):
                if key != last:
                    last = key
                    self.rows += 1
                    self._progress(self.rows)
                if isinstance(value, (dict, list, bytes, str)):
                    self._remember(column, value)
                yield (key, column), column, value
        except InconclusiveError as error:
            self.unread = error.detail
        except Exception as error:  # noqa: BLE001 (whatever a driver raises; what was read until then is searched)
            self.unread = f"{Reason.HARNESS_FAULT.value}: {record_fault(error)}"

    def _remember(self, column: str, value: Any) -> None:
        if self._parsed.get(column, 0) >= _MOST_PARSED or len(self.keys) >= _MOST_KEYS:
            return
        if isinstance(value, (bytes, str)):
            if value[:1] not in (b"{", "{", b"[", "[") or len(value) > _MOST_TEXT:
                return
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return
        self._parsed[column] = self._parsed.get(column, 0) + 1
        for path in list_json_keys(value):
            self.keys[column, path] = None
