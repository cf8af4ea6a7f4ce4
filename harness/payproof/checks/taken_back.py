import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, EntitlementSeen, RowSeen, StoreChange
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["TakenBack"]

_ID = re.compile(r"\{[a-z_]+\}")  # as rows show the ids that were sent
_OF_THE_DELIVERY = frozenset({"{evt}", "{req}", "{time}", "{id}"})


@check
@dataclass(frozen=True, slots=True)
class TakenBack(Check):
    """Of money that is paid back or taken back something can be seen: the entitlement is gone, or a row tells of it.

    The money is that of the step ``back``, and the last look at the entitlement comes after it. A row that only records
    that an event came tells nothing: it must be one that has changed, or that names more than the event.
    """

    name: ClassVar[str] = "taken_back"
    back: int = 3
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.ENTITLEMENT, Channel.STORE})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding where it stays granted and no row tells of it."""
        looks = [one for one in seen.observations if isinstance(one, EntitlementSeen) and one.step > self.back]
        if not looks or not looks[-1].granted:
            return
        changes = [one for one in seen.changes if one.step == self.back]
        if any(_tells(change) for change in changes):
            return
        last = looks[-1]
        sent = [one.sent.event for one in seen.exchanges if one.step == self.back]
        told = f"it stays granted ({last.told}), and no row of {', '.join(one.source for one in changes)} tells of it"
        expected = f"after {', '.join(sent)} the entitlement {last.name} ends, or a row tells of it"
        spot = Spot(Channel.ENTITLEMENT, f"entitlement {last.name}, {last.spot}")
        what = f"nothing tells of {', '.join(sent)}"
        yield Finding(self.name, expected, told, last.step, what=what, kind=Kind.NOT_TAKEN_BACK, spot=spot)

    def note(self, seen: Seen) -> str:
        """Tell that the entitlement stays, where only a row tells of it."""
        looks = [one for one in seen.observations if isinstance(one, EntitlementSeen) and one.step > self.back]
        return f"entitlement {looks[-1].name} stays, and a row tells of it" if looks and looks[-1].granted else ""


def _tells(change: StoreChange) -> bool:
    for table in change.tables:
        if table.rejection_log:
            continue
        if table.removed or change.rows is None:
            return True
        if any(_names_object(row) for row in change.rows if row.table == table.table):
            return True
    return False


def _names_object(row: RowSeen) -> bool:
    """Whether a row names what the event is about, beside the event itself, in a column of its own."""
    cells = [text for column, text in row.cells if "." not in column]
    return any(_ID.fullmatch(text) and text not in _OF_THE_DELIVERY for text in cells)
