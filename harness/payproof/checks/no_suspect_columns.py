from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, ColumnsSeen
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["NoSuspectColumns"]


@check
@dataclass(frozen=True, slots=True)
class NoSuspectColumns(Check):
    """No column is named or shaped as if it held payment data, but for those that the contract lists with a reason."""

    name: ClassVar[str] = "no_suspect_columns"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    reads: ClassVar[type] = ColumnsSeen
    own_control: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each column that is not listed."""
        for schema in seen.schemas:
            for one in schema.suspects:
                if not seen.keeps(one.table, one.column):
                    what = f"store {schema.source}, table {one.table}, column {one.column}: {one.what}, by {one.why}"
                    yield Finding(
                        self.name,
                        "no column for payment data",
                        what,
                        schema.step,
                        one.confidence,
                        what=one.what,
                        kind=Kind.PAYMENT_COLUMN,
                        spot=spot_of_column(schema.source, one.table, one.column),
                    )

    def note(self, seen: Seen) -> str:
        """Tell how many columns were looked at, and which are kept for what reason."""
        looked = "; ".join(f"{one.source}: {one.columns} columns of {one.tables} tables" for one in seen.schemas)
        suspects = [(one.table, one.column) for schema in seen.schemas for one in schema.suspects]
        kept = [
            f"{entry.table}.{entry.column} ({entry.reason})"
            for entry in seen.contract.keeps
            if any(fnmatchcase(table, entry.table) and fnmatchcase(column, entry.column) for table, column in suspects)
        ]
        return looked + (f"; kept with a reason: {', '.join(kept)}" if kept else "")
