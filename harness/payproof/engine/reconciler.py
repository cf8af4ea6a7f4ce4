"""Compares what Stripe knows with a target's rows; it does no I/O, and learns by itself which columns say what.

The rows of a table are about the objects in its fullest column of ids. A column says what Stripe says of them where it
holds Stripe's words, such as ``past_due``, or mostly the right amounts; or where the contract calls it a mirror.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import groupby

from payproof.domain.reconciliation import KINDS, Agreement, Divergence, RecordKind, StripeRecord
from payproof.domain.tables import Cell
from payproof.domain.truth_values import tell_truth_value

__all__ = ["Reconciler"]

_ID = re.compile(r"(?:evt|sub|pi|ch|py|re|pyr|in|cs|cus|dp|du|si|acct)_\w{8,}")
_OF_EVENTS = "evt_"
_OF_KINDS: Mapping[RecordKind, tuple[str, ...]] = {
    "payment": ("pi_", "ch_", "py_"),
    "refund": ("re_", "pyr_"),
    "subscription": ("sub_",),
}
_MIRRORED: Mapping[str, RecordKind] = {
    "charge": "payment",
    "payment_intent": "payment",
    "refund": "refund",
    "subscription": "subscription",
}
_AMOUNTS = ("amount", "amount_refunded")
_NAMED_SO = ("amount", "total", "price", "sum")
_LONGEST = 64  # of a text that can be a status, an amount or an id
_LARGEST = 1024 * 1024
_MINOR, _CENTS = Decimal(1), Decimal(100)

_Row = Mapping[str, str]


@dataclass(slots=True)
class _ColumnTexts:
    """What a column says of records of one kind: each record with the texts of its rows."""

    texts: list[tuple[StripeRecord, str]] = field(default_factory=list)


class Reconciler:
    """Takes the rows of a target's stores, table by table, and tells how they agree with Stripe's records."""

    def __init__(
        self,
        records: Iterable[StripeRecord],
        vocabulary: Mapping[RecordKind, frozenset[str]],
        mirrors: Mapping[str, str],
    ) -> None:
        self._records = tuple(records)
        self._vocabulary, self._mirrors = vocabulary, mirrors
        self._by_id = {name: one for one in self._records for name in one.ids}
        self._shown: dict[RecordKind, dict[str, None]] = {kind: {} for kind in KINDS}
        self._places: dict[RecordKind, Counter[str]] = {kind: Counter() for kind in KINDS}
        self._columns: dict[tuple[RecordKind, str], _ColumnTexts] = {}

    def add_table(self, table: str, cells: Iterable[Cell]) -> None:
        """Take the rows of a table, as `Tables.rows` yields them."""
        rows = [row for key, row in _read_rows(cells) if row and not _is_of_event(key)]
        subject = _find_subject(rows)
        if not subject:
            return
        for row in rows:
            self._note_ids(table, row)
            record = self._by_id.get(row.get(subject, ""))
            if record is not None and row[subject].startswith(_OF_KINDS[record.kind]):
                for column, text in row.items():
                    self._columns.setdefault((record.kind, f"{table}.{column}"), _ColumnTexts()).texts.append(
                        (record, text)
                    )

    def _note_ids(self, table: str, row: _Row) -> None:
        for column, text in row.items():
            record = self._by_id.get(text)
            if record is not None:
                self._shown[record.kind][record.id] = None
                self._places[record.kind][f"{table}.{column}"] += 1

    def tell(self, kinds: Iterable[RecordKind], settled: int) -> list[Agreement]:
        """Return how rows agree about some kinds; what changed after ``settled`` (Unix seconds) is too recent."""
        return [self._tell_kind(kind, settled) for kind in kinds]

    def _tell_kind(self, kind: RecordKind, settled: int) -> Agreement:
        records = [one for one in self._records if one.kind == kind]
        old = {one.id for one in records if one.changed <= settled}
        shown = self._shown[kind]
        missing = [Divergence(one) for one in records if one.id in old and one.required and one.id not in shown]
        compared = [] if shown or kind != "refund" else self._find_refunded()
        differing: dict[tuple[str, str], Divergence] = {}
        for (of_kind, place), column in sorted(self._columns.items()):
            divergences = self._compare(kind, place, column) if of_kind == kind else None
            if divergences is not None:
                compared.append(place)
                differing |= {(one.record.id, place): one for one in divergences if one.record.id in old}
        return Agreement(
            kind,
            len(records),
            len(records) - len(old),
            len(shown),
            tuple(place for place, _ in self._places[kind].most_common()),
            tuple(compared),
            (*(missing if shown else ()), *differing.values()),
        )

    def _find_refunded(self) -> list[str]:
        """Return the columns that say how much of payments was refunded."""
        payments = sorted((place, column) for (kind, place), column in self._columns.items() if kind == "payment")
        return [place for place, column in payments if _find_amount(place, column)[0] == "amount_refunded"]

    def _compare(self, kind: RecordKind, place: str, column: _ColumnTexts) -> list[Divergence] | None:
        """Return where a column says something else than Stripe; None where it says nothing that can be compared."""
        mirrored, _, name = self._mirrors.get(place, "").partition("/")
        if _MIRRORED.get(mirrored) == kind:
            return [
                Divergence(record, place, text, _join(record.fields[name]))
                for record, text in column.texts
                if name in record.fields and tell_truth_value(text, record.fields[name]) not in record.fields[name]
            ]
        for find in (self._compare_status, _compare_price, _compare_amount):
            divergences = find(kind, place, column)
            if divergences is not None:
                return divergences
        return None

    def _compare_status(self, kind: RecordKind, place: str, column: _ColumnTexts) -> list[Divergence] | None:
        """Compare words that Stripe has for a status; others are the target's own, and no contradiction."""
        words = self._vocabulary[kind]
        told = [(record, text) for record, text in column.texts if text in words]
        if not told or 2 * len(told) < len(column.texts):
            return None
        return [
            Divergence(record, place, text, _join(record.fields["status"]))
            for record, text in told
            if text not in record.fields["status"]
        ]


def _compare_price(kind: RecordKind, place: str, column: _ColumnTexts) -> list[Divergence] | None:
    told = [(record, text) for record, text in column.texts if text.startswith("price_")]
    if kind != "subscription" or not told:
        return None
    return [
        Divergence(record, place, text, _join(record.fields["price"]))
        for record, text in told
        if record.fields["price"] and text not in record.fields["price"]
    ]


def _compare_amount(kind: RecordKind, place: str, column: _ColumnTexts) -> list[Divergence] | None:
    """Compare amounts where most are right; an amount less what was refunded is one that some keep."""
    name, unit = ("", _MINOR) if kind == "subscription" else _find_amount(place, column)
    if not name:
        return None
    return [
        Divergence(record, place, str(number), _join(record.fields[name], unit))
        for record, number in _read_numbers(column)
        if (wanted := _read_all(record, name)) and number * unit not in wanted | _left(record)
    ]


def _find_amount(place: str, column: _ColumnTexts) -> tuple[str, Decimal]:
    """Return which amount a column says, empty where none, and in how many of the smallest unit.

    Most must be right; and as one number is right by chance, there are several, or the column is named so.
    """
    numbers = _read_numbers(column)
    best, right = ("", _MINOR), list[tuple[str, Decimal]]()
    for name in _AMOUNTS:
        for unit in (_MINOR, _CENTS):
            hits = [(record.id, number) for record, number in numbers if number * unit in _read_all(record, name)]
            if len(hits) > len(right):
                best, right = (name, unit), hits
    is_named = any(word in place.rpartition(".")[2].lower() for word in _NAMED_SO)
    several = len({number for _, number in right}) > 1
    return best if 2 * len(right) >= len(column.texts) and (several or is_named) else ("", _MINOR)


def _read_numbers(column: _ColumnTexts) -> list[tuple[StripeRecord, Decimal]]:
    return [(record, number) for record, text in column.texts if (number := _read_number(text)) is not None]


def _left(record: StripeRecord) -> set[Decimal]:
    """Return what is left of a payment after its refunds."""
    return {
        amount - refunded for amount in _read_all(record, "amount") for refunded in _read_all(record, "amount_refunded")
    }


def _read_all(record: StripeRecord, name: str) -> set[Decimal]:
    return {Decimal(text) for text in record.fields.get(name, ())}


def _read_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _join(texts: Iterable[str], unit: Decimal = _MINOR) -> str:
    return " or ".join(sorted(texts if unit == _MINOR else (str(Decimal(one) / unit) for one in texts))) or "nothing"


def _read_rows(cells: Iterable[Cell]) -> Iterator[tuple[str, _Row]]:
    """Yield each row that holds an id of Stripe's: its key, and its short texts; a JSON object is its values."""
    for key, group in groupby(cells, key=lambda cell: cell[0]):
        row: dict[str, str] = {}
        for _, column, value in group:
            text = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
            if len(text) <= _LONGEST:
                row[column] = text
            elif text[:1] == "{" and len(text) <= _LARGEST:
                row |= {f"{column}.{name}": one for name, one in _read_object(text)}
        if any(_ID.fullmatch(text) for text in row.values()):
            yield key, row


def _read_object(text: str) -> Iterator[tuple[str, str]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for name, value in document.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        if len(written := str(value)) <= _LONGEST:
            yield name, written


def _is_of_event(key: str) -> bool:
    """Whether a row's key is the id of an event: it is a record of what came, and no state."""
    return f"={_OF_EVENTS}" in key


def _find_subject(rows: Sequence[_Row]) -> str:
    """Return the column with the ids of what the rows are about; empty where they are records of events."""
    ids: dict[str, list[str]] = {}
    for row in rows:
        for column, text in row.items():
            if _ID.fullmatch(text):
                ids.setdefault(column, []).append(text)
    events = [column for column, texts in ids.items() if all(text.startswith(_OF_EVENTS) for text in texts)]
    others = {column: texts for column, texts in ids.items() if column not in events}
    # A journal of events names an object again and again; a row that is a state, and names its last event, does not.
    if events and all(len({*texts}) < len(texts) for texts in others.values()):
        return ""
    return max(others, key=lambda column: len({*others[column]}), default="")
