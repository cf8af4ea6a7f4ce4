"""The part of a target file that says how long rows are kept."""

from typing import Literal, Self

from pydantic import Field, model_validator

from payproof.domain.target import KeptRows
from payproof.language.file_model import FileModel

__all__ = ["RetentionTable", "read_kept_rows"]

_FEWEST_DAYS_OF_EVENTS = 3  # an event of the future would be refused
_AHEAD = ("{time}", "{seconds}")

_Value = str | int | float | bool


class _RowsTable(FileModel):
    """How long a table's rows are kept, and what makes one; without event and values none can be planted."""

    table: str
    days: int = Field(ge=1, le=36_500, description="after the time from which a row's age counts")
    event: str = Field("", description="type of the event that makes a row")
    age: Literal["event", "arrival"] = Field(
        "event", description="what a row's age counts from: the event's own time, or when it came (needs purge_at)"
    )
    stays: tuple[str, ...] = Field((), strict=False, description="types of events whose rows stay, however old")
    values: dict[str, _Value] = Field(
        {},
        description="columns of a row to write: {id} a made-up id, {time} Unix seconds, {date} a date and time of UTC",
    )
    stays_with: tuple[dict[str, _Value], ...] = Field(
        (), strict=False, description="values that make a written row one that stays, however old"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.event and self.values:
            raise ValueError("either event, or values of a row that no event makes")
        if self.event and self.age == "event" and self.days < _FEWEST_DAYS_OF_EVENTS:
            raise ValueError(f"rows that events make need {_FEWEST_DAYS_OF_EVENTS} days or more")
        if self.values and not _has(self.values, "{id}"):
            raise ValueError("values need {id} in a column, by which a row is found again")
        if self.values and not (_has(self.values, "{time}") or _has(self.values, "{date}")):
            raise ValueError("values need {time} or {date} in a column, by which a row is old")
        if self.stays and (not self.event or self.age == "arrival"):
            raise ValueError("stays is for rows whose age is that of an event")
        if self.stays_with and not self.values:
            raise ValueError("stays_with is for rows with values")
        return self


class RetentionTable(FileModel):
    """How long rows are kept, and what removes them."""

    purge: tuple[str, ...] = Field(
        strict=False, min_length=1, description="command and arguments, run without a shell beside the target file"
    )
    purge_at: tuple[str, ...] = Field(
        (),
        strict=False,
        description="the same with a clock that is ahead: {time} in Unix seconds, or by {seconds}; it removes all that"
        " will be due by then",
    )
    seconds: float = Field(60.0, gt=0, le=3600, description="time limit of the command", strict=False)
    writer_env: str | None = Field(None, description="variable that holds the URL of a role that may write the values")
    rows: tuple[_RowsTable, ...] = Field(strict=False, min_length=1)

    @model_validator(mode="after")
    def _means(self) -> Self:
        if self.purge_at and not any(one in word for word in self.purge_at for one in _AHEAD):
            raise ValueError("purge_at needs {time} or {seconds}")
        for one in self.rows:
            if one.values and self.writer_env is None:
                raise ValueError(f"the values of {one.table!r} need writer_env")
            if one.event and one.age == "arrival" and not self.purge_at:
                raise ValueError(f"the age of {one.table!r} needs purge_at")
        return self


def read_kept_rows(entry: RetentionTable) -> tuple[KeptRows, ...]:
    """Return the domain's view of the rows."""
    return tuple(one.mean(KeptRows, from_arrival=one.age == "arrival") for one in entry.rows)


def _has(values: dict[str, _Value], placeholder: str) -> bool:
    return any(isinstance(one, str) and placeholder in one for one in values.values())
