"""Finds whom a run's events may be about: customers of Stripe's that stand in the target's stores, by column."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec, Target
from payproof.errors import ConfigurationError
from payproof.registry import nearest

__all__ = ["find_candidates", "find_subject"]

_CUSTOMER = re.compile(r"cus_[0-9A-Za-z]{8,}")
_MOST_ROWS = 1000


def find_subject(target: Target, open_tables: Callable[[SourceSpec], Tables]) -> Target:
    """Return a target whose subject has the first customer that stands in the column that ``find`` names.

    Raises:
        ConfigurationError: there is none, or no such column.
        InconclusiveError: a store cannot be read.
    """
    wanted = target.subject.find
    if not wanted or "cus" in target.subject.ids:
        return target
    found = find_candidates(target, open_tables)
    if wanted not in found:
        hint = nearest(wanted, found) if found else "no column of the stores holds any: name one in customer"
        raise ConfigurationError(
            f"find of [subject]: no customer of Stripe's (cus_...) stands in {wanted!r}", hint=hint
        )
    return replace(target, subject=target.subject.with_ids([found[wanted]]))


def find_candidates(target: Target, open_tables: Callable[[SourceSpec], Tables]) -> Mapping[str, str]:
    """Return the first customer of each column (``table.column``) that holds some, the fullest column first.

    Raises:
        InconclusiveError: a store cannot be read.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for spec in target.stores:
        tables = open_tables(spec)
        try:
            for table in tables.tables():
                for _, column, value in tables.rows(table.name, _MOST_ROWS):
                    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
                    if isinstance(text, str) and _CUSTOMER.fullmatch(text):
                        first.setdefault(f"{table.name}.{column}", text)
                        counts[f"{table.name}.{column}"] += 1
        finally:
            tables.close()
    return {column: first[column] for column, _ in counts.most_common()}
