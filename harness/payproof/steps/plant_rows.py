from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.domain.target import KeptRows, Value
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["PlantRows"]

_DAY = 24 * 3600
_ID_BITS = 80


@step
@dataclass(frozen=True, slots=True)
class PlantRows(Step):
    """Make rows in each table whose rows the target keeps for some days, in one of three ways.

    ``delivered`` by events, or ``written`` into the database: one row is older than those days, one younger, and one
    for each thing that makes a row stay is as old as the first. ``recorded`` by an event of now, for a purge that is
    run later. What they are called the checks know.
    """

    name: ClassVar[str] = "plant_rows"
    how: Literal["delivered", "recorded", "written"] = "delivered"

    async def run(self, context: Context) -> Sequence[Observation]:
        """Make the events, watch their ids, sign and send them; or write the rows."""
        observed: list[Observation] = []
        chosen = [rows for rows in context.target.contract.kept_rows if rows.planted == self.how]
        which = 0
        for rows in chosen:
            if self.how == "written":
                for sort, age, values in _list_rows(rows):
                    row, ids = _fill_row(context, values, context.clock.now() - age)
                    _watch(context, which, sort, rows, ids)
                    context.retention.write_row(rows.table, row)
                    which += 1
            else:
                for sort, age, type_ in _list_events(rows):
                    event = context.events.make(type_, values={}, ids={}, age=age)
                    _watch(context, which, sort, rows, event.ids)
                    note = f"{type_}, {age / _DAY:g} days old"
                    observed.append(await context.send(signed_request(context, event, event.encode(), note=note)))
                    which += 1
        return observed


def _ages(rows: KeptRows) -> tuple[int, int]:
    return int((rows.days + rows.margin) * _DAY), int((rows.days - rows.margin) * _DAY)


def _list_events(rows: KeptRows) -> Iterator[tuple[str, int, str]]:
    if rows.from_arrival:
        yield "recorded", 0, rows.event
        return
    old, young = _ages(rows)
    yield "old", old, rows.event
    yield "young", young, rows.event
    for type_ in rows.stays:
        yield "stays", old, type_


def _list_rows(rows: KeptRows) -> Iterator[tuple[str, int, Mapping[str, Value]]]:
    old, young = _ages(rows)
    yield "old", old, rows.values
    yield "young", young, rows.values
    for other in rows.stays_with:
        yield "stays", old, {**rows.values, **other}


def _watch(context: Context, which: int, sort: str, rows: KeptRows, ids: Sequence[str]) -> None:
    context.at_rest.watch("id", which, ids)
    context.at_rest.watch(f"{sort} row of {rows.table}", which, ids)


def _fill_row(context: Context, values: Mapping[str, Value], time: int) -> tuple[dict[str, Value], list[str]]:
    """Return a row with what its placeholders stand for, and the values in it that nothing else has."""
    number = f"{context.random.getrandbits(_ID_BITS):020x}"
    date = f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S}"  # with an offset MariaDB would refuse it
    row: dict[str, Value] = {}
    ids = []
    for column, value in values.items():
        if isinstance(value, str):
            filled = value.replace("{id}", number).replace("{date}", date).replace("{time}", str(time))
            row[column] = time if value == "{time}" else filled
            ids += [filled] if "{id}" in value else []
        else:
            row[column] = value
    return row, ids
