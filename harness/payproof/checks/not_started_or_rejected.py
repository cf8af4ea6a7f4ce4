from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, Exchange, InstanceStarted
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_start
from payproof.registry import check

__all__ = ["NotStartedOrRejected"]

_GENUINE = "valid"


@check
@dataclass(frozen=True, slots=True)
class NotStartedOrRejected(Check):
    """An instance with a wrong setting refused to start, or nothing came of any delivery that is not genuine.

    Any answer but 2xx refuses a delivery. A 2xx counts where a store shows an effect. An instance that takes a genuine
    delivery, though it was not given the secret, has that from elsewhere: then nothing was tried out.
    """

    name: ClassVar[str] = "not_started_or_rejected"
    wants: ClassVar[tuple[str, ...]] = ("[[stores]]",)
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.PROCESS})
    reads: ClassVar[type | None] = InstanceStarted

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each step in which a delivery was accepted that should not be."""
        for started, step, accepted in _accepted(seen):
            effects = [
                table.describe(change.source)
                for change in seen.changes
                if change.step == step
                for table in change.tables
                if not table.rejection_log
            ]
            if effects:
                first = accepted[0].sent
                more = f" and {len(accepted) - 1} more" if len(accepted) > 1 else ""
                told = f"an instance started {started.told} took {first.variant}{more}; {effects[0]}"
                expected, spot = "no start, or a rejection of every delivery", spot_of_start(started)
                yield Finding(self.name, expected, told, step, kind=Kind.STARTED_UNSAFE, spot=spot)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell of acceptances of which no store says whether they have an effect, and of a secret from elsewhere."""
        watched = {change.step for change in seen.changes}
        for started, step, accepted in _accepted(seen):
            if step not in watched:
                yield f"an instance started {started.told} answered {len(accepted)} forgeries 2xx, and no store is seen"
        for started in _instances(seen):
            if started.setting == "secret" and any(
                one.is_accepted and one.sent.variant == _GENUINE for one in seen.exchanges
            ):
                told = "knows the right one, from a file or a service that the target file does not tell of"
                yield f"an instance started {started.told} {told}"

    def note(self, seen: Seen) -> str:
        """Tell of an instance that did not refuse to start by a status that says so."""
        return "; ".join(
            f"an instance started {one.told} "
            + ("listened" if one.status is None else f"ended with status {one.status}")
            for one in _instances(seen)
            if not one.status
        )


def _instances(seen: Seen) -> Iterator[InstanceStarted]:
    yield from (one for one in seen.observations if isinstance(one, InstanceStarted))


def _accepted(seen: Seen) -> Iterator[tuple[InstanceStarted, int, list[Exchange]]]:
    """Yield the forgeries that were accepted by step, with the instance that did."""
    last: InstanceStarted | None = None
    by_step: dict[int, list[Exchange]] = {}
    for one in seen.exchanges:
        if one.is_accepted and one.sent.variant != _GENUINE:
            by_step.setdefault(one.step, []).append(one)
    for step, accepted in by_step.items():
        last = next((one for one in reversed([*_instances(seen)]) if one.step < step), None)
        if last is not None:
            yield last, step, accepted
