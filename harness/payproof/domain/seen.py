"""All that a check may judge, and the questions that several checks ask of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from payproof.domain.observation import (
    ColumnsSeen,
    Counted,
    Exchange,
    LogLines,
    Observation,
    Searched,
    StoreChange,
    StripeCalls,
    StripeState,
)
from payproof.domain.stripe_call import StripeCall
from payproof.domain.target import Contract

__all__ = ["Following", "Seen"]


@dataclass(frozen=True, slots=True)
class Following:
    """A column that gained every value of an attribute that was offered."""

    step: int
    source: str
    table: str
    column: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a check may judge: one phase's observations and what the target promises.

    ``control`` is what the scenario's control has shown before, where it has one: how the target answers when all is
    well.
    """

    contract: Contract
    observations: tuple[Observation, ...]
    control: tuple[Observation, ...] = ()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Requests and answers in order."""
        return tuple(o for o in self.observations if isinstance(o, Exchange))

    def at(self, step: int) -> "Seen":
        """Return what belongs to one step, as if it were the first."""
        mine = tuple(replace(o, step=0) for o in self.observations if o.step == step)
        return replace(self, observations=mine)

    @property
    def operations(self) -> tuple[Exchange, ...]:
        """Requests that cause a call to Stripe which is to be judged, and their answers, in order."""
        return tuple(exchange for exchange in self.exchanges if exchange.sent.calls)

    @property
    def calls(self) -> tuple[StripeCall, ...]:
        """The calls to Stripe that the operations are known to cause, from the first of these on, in order."""
        operations = self.operations
        first = min((exchange.step for exchange in operations), default=0)
        wanted = {exchange.sent.calls for exchange in operations}
        arrived = (
            call for o in self.observations if isinstance(o, StripeCalls) and o.step >= first for call in o.calls
        )
        return tuple(call for call in arrived if any(call.is_one_of(pattern) for pattern in wanted))

    @property
    def changes(self) -> tuple[StoreChange, ...]:
        """The changes of the stores, step by step."""
        return tuple(o for o in self.observations if isinstance(o, StoreChange))

    @property
    def searches(self) -> tuple[Searched, ...]:
        """The searches of whole sources, with what they found."""
        return tuple(o for o in self.observations if isinstance(o, Searched))

    @property
    def schemas(self) -> tuple[ColumnsSeen, ...]:
        """The columns of the stores, as far as they could hold payment data."""
        return tuple(o for o in self.observations if isinstance(o, ColumnsSeen))

    def keeps(self, table: str, column: str) -> bool:
        """Whether the contract lists a column, or one that a key in its JSON stands in, as kept with a reason."""
        name = column.partition(".")[0]
        return any(
            fnmatchcase(table, one.table) and (fnmatchcase(column, one.column) or fnmatchcase(name, one.column))
            for one in self.contract.keeps
        )

    def follows(self) -> Iterator[Following]:
        """Yield each column that has gained every value of an attribute that was offered, ids aside."""
        if any(isinstance(one, Counted) and one.marked is False for one in self.observations):
            return  # of events that left no trace, no column has gained anything
        counts: dict[tuple[str, str, str, str], dict[int, list[int]]] = {}
        step = 0
        for counted in self.observations:
            if isinstance(counted, Counted) and counted.moment in {"before", "after"}:
                step = max(step, counted.step)
                for one in counted.columns:
                    place = (counted.source, one.table, one.column, one.attribute)
                    both = counts.setdefault(place, {}).setdefault(one.which, [0, 0])
                    both[counted.moment == "after"] += one.count
        total = max((number for which in counts.values() for number in which), default=0) + 1
        for (source, table, column, attribute), which in sorted(counts.items()):
            gained = [before < after for before, after in which.values()]
            if attribute != "id" and len(gained) == total and all(gained):
                yield Following(step, source, table, column, attribute)

    def count_planted(self, moment: str, about: str = "") -> Counter[tuple[str, str]]:
        """Return by attribute and table how many of the planted rows there are at a moment."""
        most: dict[tuple[str, str, int], int] = {}
        for counted in self.observations:
            if isinstance(counted, Counted) and counted.moment == moment and counted.about == about:
                for one in counted.columns:
                    place = (one.attribute, one.table, one.which)
                    # A row holds several ids of one event, one in each of some columns.
                    most[place] = max(most.get(place, 0), one.count)
        rows: Counter[tuple[str, str]] = Counter()
        for (attribute, table, _), count in most.items():
            rows[attribute, table] += count
        return rows

    @property
    def states(self) -> tuple[StripeState, ...]:
        """What Stripe's objects were after each step that played a payment flow."""
        return tuple(o for o in self.observations if isinstance(o, StripeState))

    @property
    def lines(self) -> tuple[LogLines, ...]:
        """The lines that the logs gained, step by step."""
        return tuple(o for o in self.observations if isinstance(o, LogLines))
