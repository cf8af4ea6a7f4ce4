from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.exposures import finding_of_exposure
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.sensitive import PERSONAL
from payproof.domain.spots import spot_of_column
from payproof.registry import check

__all__ = ["NotStored"]


@check
@dataclass(frozen=True, slots=True)
class NotStored(Check):
    """No row that a step wrote holds a secret, a signature or the event's personal data (PCI DSS 3.2.1).

    Personal data may stand in a column that the contract lists with a reason.
    """

    name: ClassVar[str] = "not_stored"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.STORE})
    rule: ClassVar[str] = "data_at_rest/canary_in_store"
    watches: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each value and each row that holds it."""
        for change in seen.changes:
            for exposure in change.exposures:
                if exposure.kind in PERSONAL and seen.keeps(exposure.table, exposure.column):
                    continue
                spot = spot_of_column(change.source, exposure.table, exposure.column)
                yield finding_of_exposure(self.name, exposure, change.source, change.step, spot)
