"""Searches all that a target keeps: every value of its stores, every byte of its logs and files."""

import json
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from payproof.canary import Ledger
from payproof.domain.calibration import SourceMark
from payproof.domain.finding import Confidence
from payproof.domain.kind import OFFERED
from payproof.domain.leak import Leak, LeftOut, NotRead, Place, UnitSearched
from payproof.domain.observation import Channel, ColumnCount, ColumnsSeen, Counted, Searched, SuspectColumn
from payproof.domain.strings import with_strings
from payproof.domain.tables import Cell, Column, Tables
from payproof.domain.target import Environment, SourceSpec, Target
from payproof.engine.deadline import Deadline, TimedRows, TimeIsOverError
from payproof.engine.ports import LeakFinder, WishList
from payproof.engine.tally import Tally
from payproof.engine.watching import Watch
from payproof.errors import InconclusiveError, Reason
from payproof.scan.canaries import Canary
from payproof.schema_audit import audit_columns

__all__ = ["SearchAtRest"]

_STRIPE_ID = re.compile(rb"(?<![A-Za-z0-9])(?:ch|cs|cus|dp|du|evt|in|pi|pm|price|re|seti|sub)_[A-Za-z0-9]{8,}")
_TAIL = 256  # bytes of a piece that the next one is looked at with


class SearchAtRest:
    """The stores, logs and files of one target, as what can be read from beginning to end.

    Args:
        target: what they belong to.
        open_tables: opens a store.
        finder: finds leaks in rows and files.
        ledger: every sensitive value of the run, which conceals them in names of places.
    """

    def __init__(
        self,
        target: Target,
        *,
        open_tables: Callable[[SourceSpec], Tables],
        finder: LeakFinder,
        ledger: Ledger,
    ) -> None:
        self._target, self._open, self._finder, self._ledger = target, open_tables, finder, ledger
        self._known: dict[SourceSpec, Tables] = {}
        self._without_ids: frozenset[tuple[Channel, str]] = frozenset()
        self._shown: dict[str, str] = {}
        self._until: Deadline | None = None
        self._begun: Deadline | None = None

    def close(self) -> None:
        """Let go of the stores."""
        for tables in self._known.values():
            tables.close()

    def begin(self) -> None:
        """Let the time of the next search run, so that it can be broken off before another thread has begun with it."""
        self._until = self._begun = Deadline(self._target.budget.search_seconds)

    def _start(self) -> Deadline:
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

    def trust(self, marks: Iterable[SourceMark], silent_logs: Container[str] = ()) -> None:
        """Ask no id of a source that shows none of the control event, and is the right one by what else it shows."""
        self._without_ids = frozenset(
            (one.channel, one.source)
            for one in marks
            if one.shown_by in {"changes", "refusals"}
            or (one.shown_by and one.channel is Channel.LOG and one.source in silent_logs)
        )

    def find_leaks(self, step: int, wish: WishList) -> list[Searched]:
        """Search every source of the places; what the budget leaves no time for is named.

        Raises:
            InconclusiveError: a store cannot be read, or the search does not find the canaries in a text of its own.
        """
        until = self._start()
        self._shown.clear()
        if wish.canaries is None:
            self._finder.know_offered(self._list_offered())
        self._finder.check_control(wish.canaries)
        mark = _STRIPE_ID
        if wish.marks is not None:
            mark = re.compile(b"|".join(re.escape(one.encode()) for one in wish.marks) or b"(?!)")
        found = []
        for channel in wish.places:
            specs = {
                Channel.STORE: self._target.stores,
                Channel.LOG: self._target.logs,
                Channel.FILE: self._target.files,
            }[channel]
            for spec in specs:
                tally = Tally(mark)
                if channel is Channel.STORE or not spec.url.startswith("file:"):
                    self._search_tables(spec, wish, tally, until)
                else:
                    self._search_files(spec, wish, tally, until, mark=channel is Channel.LOG)
                # A log's lines and a store's rows name the events; a cache or a dump need not.
                unmarked = channel is Channel.FILE or (channel, spec.name) in self._without_ids
                marked = None if unmarked else tally.marked
                found.append(
                    Searched(
                        step,
                        spec.name,
                        "patterns" if wish.canaries is None else "canaries",
                        channel,
                        tally.pieces,
                        tally.length,
                        tally.leaks,
                        tuple(tally.unread),
                        marked,
                        live=self._target.environment is Environment.PRODUCTION,
                        spent=tuple(tally.spent),
                    )
                )
        return found

    def _list_offered(self) -> tuple[Canary, ...]:
        """Return what the run has offered so far: of earlier cases, and whose place is known only by its value."""
        return tuple(
            Canary(entry.kind, entry.label, value)
            for value, entry in {**self._ledger.offered, **self._ledger.registered}.items()
            if entry.label.startswith(OFFERED) and b" " not in value
        )

    def count_values(
        self, step: int, watch: Watch, moment: Literal["before", "after", "early", "purged"], about: str = ""
    ) -> list[Counted]:
        """Count by column, in every store, the values that are watched; ``about`` is the table that it is done for.

        Raises:
            InconclusiveError: a store cannot be read, or not in the time that the budget allows.
        """
        until = self._start()
        counted = []
        for spec in self._target.stores:
            counts: Counter[tuple[str, str, str, int]] = Counter()
            values = 0
            tables = self._open_once(spec)
            for table in tables.tables():
                rows = TimedRows(tables, table, until)
                for _, column, value in rows:
                    values += 1
                    for name, attribute, which in watch.matches(column, value):
                        counts[table.name, name, attribute, which] += 1
                if rows.error is not None:
                    raise rows.error
                if rows.cut:
                    raise InconclusiveError(Reason.BUDGET_SPENT, f"store {spec.name}: {rows.describe_rest([])}")
            columns = tuple(ColumnCount(*place, times) for place, times in sorted(counts.items()))
            marks = {one.which for one in columns if one.attribute == Watch.MARK}
            shows = moment == "after" and (Channel.STORE, spec.name) not in self._without_ids
            marked = marks >= watch.marks if shows else None
            counted.append(Counted(step, spec.name, moment, values, columns, marked, about=about))
        return counted

    def list_columns(self, step: int) -> list[ColumnsSeen]:
        """Look which columns of every store could hold payment data.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        until, seen = self._start(), []
        for spec in self._target.stores:
            if until.over():
                raise InconclusiveError(Reason.BUDGET_SPENT, f"store {spec.name} was not looked at {until}")
            columns = self._open_once(spec).columns()
            suspects = tuple(_list_suspects(columns))
            seen.append(ColumnsSeen(step, spec.name, len({one.table for one in columns}), len(columns), suspects))
        return seen

    def _open_once(self, spec: SourceSpec) -> Tables:
        if spec not in self._known:
            # A table that changes by itself is no place to leave payment data either.
            self._known[spec] = self._open(replace(spec, ignore=()))
        return self._known[spec]

    def _search_tables(self, spec: SourceSpec, wish: WishList, tally: Tally, until: Deadline) -> None:
        if until.broken_off:
            tally.spent.append(f"nothing of store {spec.name} was read {until}")
            return
        tables = self._open_once(spec)
        try:
            listed = list(tables.tables())
        except InconclusiveError:
            if not until.over():
                raise
            tally.spent.append(f"nothing of store {spec.name} was read {until}")
            return
        for number, table in enumerate(listed, 1):
            rows = TimedRows(tables, table, until)
            place = Place(spec.name, table=table.name)
            for one in self._finder.search_rows(wish.canaries, place, _look_at(rows, tally)):
                tally.add(self._conceal(one))
            if rows.error is not None:
                tally.add(self._conceal(NotRead(place, rows.error.detail.rpartition(f"table {table.name}: ")[2])))
            if rows.cut:
                tally.spent.append(self._ledger.conceal_text(rows.describe_rest(listed[number:])))
                return

    def _search_files(self, spec: SourceSpec, wish: WishList, tally: Tally, until: Deadline, *, mark: bool) -> None:
        latest = ""

        def progress(name: str) -> None:
            nonlocal latest
            latest = name
            until.check()

        try:
            for one in self._finder.search_files(wish.canaries, spec, progress):
                if isinstance(one, UnitSearched):
                    tally.pieces += 1
                    tally.length += one.size
                elif not isinstance(one, LeftOut):  # a target's own files are searched, whatever git ignores
                    # A row's key in a database file is left out: nothing has looked whether it is payment data.
                    tally.add(self._conceal(replace(one, place=replace(one.place, key=""))))
            tail = b""
            for chunk in self._finder.read_files(spec) if mark else ():
                until.check()
                tally.look(tail + chunk)
                if tally.marked:
                    break
                tail = chunk[-_TAIL:]
        except TimeIsOverError:
            where = self._ledger.conceal_text(latest)
            tally.spent.append(f"{where} was not read to its end {until}, and no file behind it")

    def _conceal(self, one: Leak | NotRead) -> Leak | NotRead:
        """Return it without the run's sensitive values in the names of its place."""
        concealed: Leak | NotRead = with_strings(one, self._conceal_text)
        return concealed

    def _conceal_text(self, text: str) -> str:
        """Return a text without sensitive values; the thousand leaks of a column repeat its few texts."""
        if text not in self._shown:
            self._shown[text] = self._ledger.conceal_text(text)
        return self._shown[text]


def _look_at(cells: Iterable[Cell], tally: Tally) -> Iterator[Cell]:
    """Yield values; count each one, and look for the mark in it."""
    for cell in cells:
        text = _write_value(cell[2])
        tally.pieces += 1
        tally.length += len(text)
        tally.look(text)
        yield cell


def _list_suspects(columns: Sequence[Column]) -> Iterator[SuspectColumn]:
    for one in audit_columns(columns):
        # By a length alone nothing is said of a text; that a column is named as a payload says enough.
        if one.confidence is not Confidence.LOW or one.what.startswith("whole payloads"):
            yield one


def _write_value(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str).encode()
    return str(value).encode("utf-8", "replace")
