from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from payproof.checks.newest_state import find_telling
from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import PERIOD_END, Channel, StripeState, StripeThing
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column
from payproof.domain.truth_values import tell_truth_value
from payproof.registry import check

__all__ = ["Agrees", "find_compared"]

_PREFIXES = {
    "charge": ("{ch}", "{py}"),
    "checkout.session": ("{cs}",),
    "dispute": ("{dp}", "{du}"),
    "invoice": ("{in}",),
    "subscription": ("{sub}",),
}
_EVENT = "{evt}"
_GRANTING = frozenset({"active", "trialing"})
_ENDED = frozenset({"canceled", "incomplete_expired", "paused", "unpaid"})
#: Fields that a column may follow. Of those whose values others may have by chance, it must have followed a change.
_FOLLOWED = ("status", "payment_status", "cancel_at_period_end", "amount_refunded", PERIOD_END)
_COMMON = frozenset({"amount_refunded", "cancel_at_period_end"})

#: A column, and the field that it follows: source, table, column, kind and field.
_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of a row that is about objects of the flow."""

    place: _Place
    text: str
    row: tuple[str, ...]


@check
@dataclass(frozen=True, slots=True)
class Agrees(Check):
    """After a payment flow the rows say what Stripe's objects are, in whatever order its events were delivered.

    A column that the contract calls a mirror of a field must hold it after each step. Of the others, one that has held
    a field of Stripe's object after each step in Stripe's order must hold it after a step in another order too. And no
    row of a subscription that has ended at Stripe says that it is active or in its trial, where it said so while
    that was true.
    """

    name: ClassVar[str] = "agrees"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    reads: ClassVar[type | None] = StripeState
    patient: ClassVar[bool] = True
    wants: ClassVar[tuple[str, ...]] = ("[contract] mirrors",)

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each column that disagrees after a step, the first step only."""
        told: set[_Place] = set()
        for state in seen.states:
            for place, wanted, found in _disagreements(seen, state):
                if place not in told:
                    told.add(place)
                    source, table, column = place
                    what = f"{column} is {found}, at Stripe {wanted}"
                    order = {"as_caused": "in Stripe's order", "reversed": "in reverse", "shuffled": "in another order"}
                    where = f"flow {state.flow}, {state.moment}, events {order[state.order]}: {what}"
                    spot = spot_of_column(source, f"{table}.{column}")
                    yield Finding(
                        self.name, "Stripe's state", where, state.step, what=what, kind=Kind.OTHER_STATE, spot=spot
                    )

    def find_unjudged(self, seen: Seen) -> Iterable[str]:
        """Return that no row shows the flow, or that none says what Stripe says."""
        if any(one.rows is None for one in seen.changes):
            yield "the steps changed too many rows to compare them"
        elif seen.states and not any(one.tables for one in seen.changes):
            yield "the target shows nothing of the flow in any store"
        elif seen.states and not (_find_followed(seen) or _find_mirrors(seen) or find_telling(seen)):
            yield "no column says what Stripe's objects are: name some in mirrors of [contract]"

    def note(self, seen: Seen) -> str:
        """Tell which columns were compared."""
        places = find_compared(seen)
        nothing = "no column says what Stripe's objects are: only the order of events was judged"
        return f"compared with Stripe: {', '.join(places)}" if places else nothing


def find_compared(seen: Seen) -> list[str]:
    """Return the columns that can be compared with Stripe, by their names."""
    return sorted({f"{table}.{column}" for _, table, column in (*_find_followed(seen), *_find_mirrors(seen))})


def _disagreements(seen: Seen, state: StripeState) -> Iterator[tuple[_Place, str, str]]:
    """Yield each column that disagrees after a step, with what Stripe and what the rows say."""
    cells = _cells(seen, state.step)
    compared = _find_mirrors(seen) | (_find_followed(seen) if state.order != "as_caused" else {})
    for place, (kind, name) in sorted(compared.items()):
        wanted = [_tell(one, name) for one in state.find(kind)]
        found = [tell_truth_value(one.text, wanted) for one in cells if one.place == place and _is_of(one, kind)]
        if wanted and not {*found} <= {*wanted}:  # a target need not keep each of them
            yield place, ", ".join(dict.fromkeys(wanted)), ", ".join(dict.fromkeys(found))
    ended = {one.read("status") for one in state.find("subscription")}
    if ended and ended <= _ENDED:
        for place in sorted(_find_claims(seen) - compared.keys()):
            texts = {one.text for one in cells if one.place == place and _is_of(one, "subscription")}
            if texts and texts <= _GRANTING:  # a table that keeps each state in a row of its own says both
                yield place, ", ".join(sorted(filter(None, ended))), ", ".join(sorted(texts))


def _cells(seen: Seen, step: int) -> list[_Cell]:
    """Return the cells of the rows that a step has left and that hold an id of its own."""
    found: list[_Cell] = []
    for change in seen.changes:
        if change.step != step:
            continue
        journals = {table.table for table in change.tables if table.rejection_log}
        for row in change.rows or ():
            texts = tuple(text for _, text in row.cells)
            # What holds the id of an event is a record of what came, and no state.
            if row.table not in journals and _EVENT not in texts:
                found += [_Cell((change.source, row.table, column), text, texts) for column, text in row.cells]
    return found


def _is_of(cell: _Cell, kind: str) -> bool:
    """Whether the row of a cell is about an object of a kind."""
    return any(one in cell.row for one in _PREFIXES[kind])


def _tell(thing: StripeThing, name: str) -> str:
    return f"{{{PERIOD_END}}}" if name == PERIOD_END else str(thing.read(name))


def _find_mirrors(seen: Seen) -> dict[_Place, tuple[str, str]]:
    """Return the columns that the contract calls mirrors, where they were seen, with kind and field."""
    found: dict[_Place, tuple[str, str]] = {}
    for state in seen.states:
        for cell in _cells(seen, state.step):
            _, table, column = cell.place
            kind, _, name = seen.contract.mirrors.get(f"{table}.{column}", "").partition("/")
            if kind and state.find(kind) and _is_of(cell, kind):
                found[cell.place] = kind, name
    return found


def _find_followed(seen: Seen) -> dict[_Place, tuple[str, str]]:
    """Return the columns that hold a field of Stripe's single object of a kind after each step in Stripe's order."""
    shown = [(state, _cells(seen, state.step)) for state in seen.states if state.order == "as_caused"]
    kinds = [kind for kind in _PREFIXES if shown and all(len(state.find(kind)) == 1 for state, _ in shown)]
    found: dict[_Place, tuple[str, str]] = {}
    for kind in kinds:
        for name in _FOLLOWED:
            told = [_tell(state.find(kind)[0], name) for state, _ in shown]
            if "None" in told or len(told) == 1 or (name in _COMMON and len({*told}) == 1):
                continue
            for place in {cell.place for _, cells in shown for cell in cells}:
                texts = [
                    {tell_truth_value(one.text, [wanted]) for one in cells if one.place == place and _is_of(one, kind)}
                    for (_, cells), wanted in zip(shown, told, strict=True)
                ]
                # Of an object of which no event has told yet there is no row.
                held = [text == {wanted} for text, wanted in zip(texts, told, strict=True) if text]
                if len(held) > 1 and all(held):
                    found.setdefault(place, (kind, name))
    return found


def _find_claims(seen: Seen) -> frozenset[_Place]:
    """Return the columns that have rightly said that a subscription is active or in its trial, in Stripe's words."""
    claims: set[_Place] = set()
    for state in seen.states:
        if state.order == "as_caused":
            statuses: Mapping[str, None] = dict.fromkeys(one.read("status") or "" for one in state.find("subscription"))
            claims |= {
                cell.place
                for cell in _cells(seen, state.step)
                if cell.text in statuses and cell.text in _GRANTING and _is_of(cell, "subscription")
            }
    return frozenset(claims)
