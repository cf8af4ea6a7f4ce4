"""Looks through all that a target keeps: every value of its stores, every byte of its logs and files."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from payproof.canary import Ledger
from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, NotRead, Place, SearchEvent
from payproof.domain.observation import Channel, ColumnCount, ColumnsSeen, Counted, Searched, Suspected
from payproof.domain.tables import Cell, Column, Tables
from payproof.domain.target import Environment, SourceSpec, Target
from payproof.engine.deadline import Deadline, Rows, TimeIsOverError
from payproof.engine.ports import Files
from payproof.engine.tally import CANARY, Tally
from payproof.engine.watching import Watch
from payproof.errors import InconclusiveError, Reason, record_fault
from payproof.registry import detectors_at_rest
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.scanner import Found, Scanner
from payproof.scan.values import scan_value, scan_values
from payproof.schema_audit import audited

__all__ = ["Holdings", "Wanted", "finder"]

_STRIPE_ID = re.compile(rb"(?<![A-Za-z0-9])(?:ch|cs|cus|dp|du|evt|in|pi|pm|price|re|seti|sub)_[A-Za-z0-9]{8,}")
_TAIL = 256  # bytes of a piece that the next one is looked at with

_Make = Callable[[Iterable[Detector], Confidence], Scanner]
_Search = Callable[[Scanner, Iterable[tuple[tuple[str, str], str, object]]], Iterator[tuple[tuple[str, str], Found]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search is for: values of the run's own, or with None what looks like payment data; and marks.

    ``marks`` are ids of which one has to be seen; where nothing was sent that has one, and marks is None, any id of
    Stripe's is a mark.
    """

    canaries: Sequence[Canary] | None
    marks: Sequence[str] | None


class Holdings:
    """The stores, logs and files of one target, as what can be read from beginning to end.

    Args:
        target: what they belong to.
        open_tables: opens a store.
        files: searches the files of a place.
        ledger: every sensitive value of the run, for what is told of places.
    """

    def __init__(
        self,
        target: Target,
        *,
        open_tables: Callable[[SourceSpec], Tables],
        files: Files,
        ledger: Ledger,
    ) -> None:
        self._target, self._open, self._files, self._ledger = target, open_tables, files, ledger
        self._known: dict[SourceSpec, Tables] = {}
        self._until: Deadline | None = None
        self._begun: Deadline | None = None

    def close(self) -> None:
        """Let go of the stores."""
        for tables in self._known.values():
            tables.close()

    def begin(self) -> None:
        """Let the time of the next search run, so that it can be broken off before another thread has begun with it."""
        self._until = self._begun = Deadline(self._target.budget.search_seconds)

    def _deadline(self) -> Deadline:
        begun, self._begun = self._begun, None
        if begun is None:
            begun = self._until = Deadline(self._target.budget.search_seconds)
        return begun

    def interrupt(self) -> None:
        """Break off what another thread does here: time is over for it, and no store is waited for any longer."""
        if self._until is not None:
            self._until.end()
        interrupted, self._known = list(self._known.values()), {}  # in whatever state they are
        for tables in interrupted:
            tables.interrupt()

    def search(self, step: int, places: Iterable[Channel], wanted: Wanted) -> list[Searched]:
        """Search every source of some channels; what the budget leaves no time for is told as such.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        until = self._deadline()
        scanner = _scanner(wanted, self._target, self._files.searcher)
        # What the run offered is known exactly; of all else the column's name may tell.
        search = scan_values if wanted.canaries is not None else self._files.values
        mark = _STRIPE_ID
        if wanted.marks is not None:
            mark = re.compile(b"|".join(re.escape(one.encode()) for one in wanted.marks) or b"(?!)")
        found = []
        for channel in places:
            specs = {
                Channel.STORE: self._target.stores,
                Channel.LOG: self._target.logs,
                Channel.FILE: self._target.files,
            }[channel]
            for spec in specs:
                tally = Tally(mark)
                if channel is Channel.STORE or not spec.url.startswith("file:"):
                    self._through_tables(spec, scanner, search, tally, until)
                else:
                    self._through_files(spec, scanner, tally, until, mark=channel is Channel.LOG)
                # A log's lines and a store's rows tell of the events; a cache or a dump need not.
                marked = None if channel is Channel.FILE else tally.marked
                found.append(
                    Searched(
                        step,
                        spec.name,
                        "patterns" if wanted.canaries is None else "canaries",
                        channel,
                        tally.pieces,
                        tally.length,
                        tally.sightings,
                        tuple(tally.unread),
                        marked,
                        live=self._target.environment is Environment.PRODUCTION,
                        spent=tuple(tally.spent),
                    )
                )
        return found

    def count(
        self, step: int, watch: Watch, moment: Literal["before", "after", "early", "purged"], about: str = ""
    ) -> list[Counted]:
        """Count by column, in every store, the values that are watched; ``about`` is the table that it is done for.

        Raises:
            InconclusiveError: a store cannot be read, or not in the time that the budget allows.
        """
        until = self._deadline()
        counted = []
        for spec in self._target.stores:
            counts: Counter[tuple[str, str, str, int]] = Counter()
            values = 0
            tables = self._tables(spec)
            for table in tables.tables():
                rows = Rows(tables, table, until)
                for _, column, value in rows:
                    values += 1
                    for name, attribute, which in watch.matches(column, value):
                        counts[table.name, name, attribute, which] += 1
                if rows.error is not None:
                    raise rows.error
                if rows.cut:
                    raise InconclusiveError(Reason.BUDGET_SPENT, f"store {spec.name}: {rows.left([])}")
            columns = tuple(ColumnCount(*place, times) for place, times in sorted(counts.items()))
            marks = {one.which for one in columns if one.attribute == Watch.MARK}
            marked = marks >= watch.marks if moment == "after" else None
            counted.append(Counted(step, spec.name, moment, values, columns, marked, about=about))
        return counted

    def columns(self, step: int) -> list[ColumnsSeen]:
        """Look which columns of every store could hold payment data.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        until, seen = self._deadline(), []
        for spec in self._target.stores:
            if until.over():
                raise InconclusiveError(Reason.BUDGET_SPENT, f"store {spec.name} was not looked at {until}")
            columns = self._tables(spec).columns()
            suspects = tuple(_suspected(columns))
            seen.append(ColumnsSeen(step, spec.name, len({one.table for one in columns}), len(columns), suspects))
        return seen

    def _tables(self, spec: SourceSpec) -> Tables:
        if spec not in self._known:
            # A table that changes by itself is no place to leave payment data either.
            self._known[spec] = self._open(replace(spec, ignore=()))
        return self._known[spec]

    def _through_tables(
        self, spec: SourceSpec, scanner: Scanner, search: _Search, tally: Tally, until: Deadline
    ) -> None:
        if until.broken_off:
            tally.spent.append(f"nothing of store {spec.name} was read {until}")
            return
        tables = self._tables(spec)
        try:
            listed = list(tables.tables())
        except InconclusiveError:
            if not until.over():
                raise
            tally.spent.append(f"nothing of store {spec.name} was read {until}")
            return
        for number, table in enumerate(listed, 1):
            rows = Rows(tables, table, until)
            cells = self._looked_at(rows, tally)
            for (key, column), found in search(scanner, cells):
                where = f"table {table.name}, column {column}, row {self._shown(scanner, key)}"
                tally.note(f"{table.name}.{column}", where, found)
            if rows.error is not None:
                tally.unread.append(self._ledger.conceal_text(rows.error.detail))
            if rows.cut:
                tally.spent.append(self._ledger.conceal_text(rows.left(listed[number:])))
                return

    @staticmethod
    def _looked_at(cells: Iterable[Cell], tally: Tally) -> Iterator[tuple[tuple[str, str], str, object]]:
        for key, column, value in cells:
            text = _text(value)
            tally.pieces += 1
            tally.length += len(text)
            tally.look(text)
            yield (key, column), column, value

    def _through_files(self, spec: SourceSpec, scanner: Scanner, tally: Tally, until: Deadline, *, mark: bool) -> None:
        latest = ""

        def progress(name: str) -> None:
            nonlocal latest
            latest = name
            until.check()

        try:
            self._through_each(self._files.search(spec, scanner, progress), tally)
            tail = b""
            for chunk in self._files.chunks(spec) if mark else ():
                until.check()
                tally.look(tail + chunk)
                if tally.marked:
                    break
                tail = chunk[-_TAIL:]
        except TimeIsOverError:
            where = self._ledger.conceal_text(latest)
            tally.spent.append(f"{where} was not read to its end {until}, and no file behind it")

    def _through_each(self, told: Iterable[SearchEvent], tally: Tally) -> None:
        for one in told:
            name = self._ledger.conceal_text(_placed(one.place)) if isinstance(one, Leak | NotRead) else ""
            if isinstance(one, Leak):
                tally.add(name, name, one.kind, one.what, one.shown, one.confidence, one.place.path, one.count)
            elif isinstance(one, NotRead):
                tally.unread.append(f"{name}: {one.why}")
            else:
                tally.pieces += 1
                tally.length += one.size

    def _shown(self, scanner: Scanner, key: str) -> str:
        """Return a row's key as it may be shown: it may be payment data itself."""
        concealed = self._ledger.conceal_text(key)
        return "with such a key" if scan_value(scanner, "", key) else concealed


def finder(values: Iterable[Canary], make: _Make = Scanner) -> Scanner:
    """Return what finds values of the run's own and nothing else."""
    detector = [one for one in detectors_at_rest(Canaries(values)) if one.name == CANARY]
    return make(detector, Confidence.CERTAIN)


def _scanner(wanted: Wanted, target: Target, make: _Make) -> Scanner:
    """Return what finds what is wanted.

    Raises:
        InconclusiveError: it does not find every canary in a text that holds each of them.
    """
    if wanted.canaries is None:
        secrets = {secret.label: secret.reveal() for secret in target.secrets}
        return make(detectors_at_rest(Canaries.of_secrets(secrets)), Confidence.MEDIUM)
    canaries, scanner = Canaries(wanted.canaries), finder(wanted.canaries, make)
    # Its own positive control: what it does not find here it would not find in a store.
    missed = [
        one for one in canaries.values if not any(isinstance(hit, Hit) for hit in scan_value(scanner, "", one.value))
    ]
    if missed or canaries.too_short:
        fault = InconclusiveError(Reason.HARNESS_FAULT, "a search does not find all canaries in a text that holds them")
        record_fault(fault)
        raise fault
    return scanner


def _placed(place: Place) -> str:
    """Return a place without its encodings, which are told beside what was found, and without a row's key."""
    return str(replace(place, path=(), key=""))


def _suspected(columns: Sequence[Column]) -> Iterator[Suspected]:
    for one in audited(columns):
        # By a length alone nothing is said of a text; that a column is named as a payload says enough.
        if one.confidence is not Confidence.LOW or one.what.startswith("whole payloads"):
            yield Suspected(one.table, one.column, one.what, one.why, one.confidence)


def _text(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str).encode()
    return str(value).encode("utf-8", "replace")
