"""Pages of rows: the first of a query, and whether there are more."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select

__all__ = ["RowPage", "read_limited"]


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows, and whether more follow them."""

    rows: list[RowMapping]
    has_more: bool


def read_limited(connection: Connection, statement: Select[Any], limit: int) -> RowPage:
    """Read the first `limit` rows of an ordered query, and whether there is another."""
    rows = list(connection.execute(statement.limit(limit + 1)).mappings())
    return RowPage(rows[:limit], len(rows) > limit)
