"""Finds whom a run's events may be about: Stripe's objects that stand in the target's stores, by column."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from payproof.domain.subject import PREFIXES
from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec, Target
from payproof.errors import ConfigurationError
from payproof.registry import nearest

__all__ = ["Candidate", "find_candidates", "find_subject"]

_ID = re.compile(rf"({'|'.join(PREFIXES.values())})_[0-9A-Za-z]{{8,}}")
_CUSTOMER = PREFIXES["customer"]
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of Stripe's objects in a column, and which others its row names, each with the column that it stands in."""

    id: str
    column: str
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """Return what its id begins with: which object of Stripe's it is."""
        return self.id.partition("_")[0]


def find_subject(target: Target, open_tables: Callable[[SourceSpec], Tables]) -> Target:
    """Return a target whose subject has the first customer that stands in the column that ``find`` names.

    Raises:
        ConfigurationError: there is none, or no such column.
        InconclusiveError: a store cannot be read.
    """
    wanted = target.subject.find
    if not wanted or _CUSTOMER in target.subject.ids:
        return target
    found = {one.column: one.id for one in find_candidates(target, open_tables) if one.prefix == _CUSTOMER}
    if wanted not in found:
        hint = nearest(wanted, found) if found else "no column of the stores holds any: name one in customer"
        raise ConfigurationError(
            f"find of [subject]: no customer of Stripe's (cus_...) stands in {wanted!r}", hint=hint
        )
    return replace(target, subject=target.subject.with_ids([found[wanted]]))


def find_candidates(target: Target, open_tables: Callable[[SourceSpec], Tables]) -> list[Candidate]:
    """Return the first object of Stripe's in each column that holds some: customers first, then the fullest column.

    Raises:
        InconclusiveError: a store cannot be read.
    """
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Candidate] = {}
    for spec in target.stores:
        tables = open_tables(spec)
        try:
            for table in tables.tables():
                rows: dict[object, dict[str, str]] = {}
                for row, column, value in tables.rows(table.name, _MOST_ROWS):
                    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
                    if isinstance(text, str) and (found := _ID.fullmatch(text)):
                        rows.setdefault(row, {})[text] = f"{table.name}.{column}"
                        counts[f"{table.name}.{column}", found[1]] += 1
                for beside in rows.values():
                    for id_, column in beside.items():
                        others = {other: place for other, place in beside.items() if other != id_}
                        first.setdefault((column, id_.partition("_")[0]), Candidate(id_, column, others))
        finally:
            tables.close()
    return [first[one] for one, _ in sorted(counts.items(), key=lambda one: (one[0][1] != _CUSTOMER, -one[1]))]
