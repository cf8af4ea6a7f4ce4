from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, InstanceStarted
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_start
from payproof.registry import check

__all__ = ["NotStarted"]


@check
@dataclass(frozen=True, slots=True)
class NotStarted(Check):
    """An instance with a wrong setting refused to start: it ended by itself, with a status that says so."""

    name: ClassVar[str] = "not_started"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.PROCESS})
    reads: ClassVar[type | None] = InstanceStarted

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each instance that listens, or has ended as if all were well."""
        for one in seen.observations:
            if isinstance(one, InstanceStarted) and not one.status:
                came = "listens" if one.status is None else "ended with status 0"
                told = f"an instance started {one.told} {came}"
                expected, spot = "an end with a status other than 0", spot_of_start(one)
                yield Finding(self.name, expected, told, one.step, kind=Kind.STARTED_UNSAFE, spot=spot)
