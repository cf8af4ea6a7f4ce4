from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel, NoAnswer, Observation, StoreChange, TableChange
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_column, spot_of_route
from payproof.registry import check

__all__ = ["CaughtUp"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class CaughtUp(Check):
    """A delivery that met a fault of Stripe's has its whole effect once Stripe is back, and has it once.

    The delivery is that of step ``failed``, and Stripe is back at step ``back``; the steps after it deliver the same
    event again. A delivery that was not acknowledged must then be accepted. One that was acknowledged must take effect
    without another, as Stripe would send none. The effect is what the same step of the control has changed.
    """

    name: ClassVar[str] = "caught_up"
    failed: int = 1
    back: int = 2
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP, Channel.STORE})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding where the delivery stays refused, for each effect that is missing or came twice."""
        last = max((one.step for one in seen.observations), default=0)
        if last < self._first_judged(seen):
            return
        done = self._find_done(seen)
        if done is None:
            told = ", ".join(_describe(one.answer) for one in seen.exchanges if one.step > self.back)
            expected = "a status of 200 to 299 when Stripe works again"
            spot = next((spot_of_route(one) for one in seen.exchanges if one.step > self.back), None)
            yield Finding(self.name, expected, told, last, kind=Kind.LOST_AFTER_FAILURE, spot=spot)
            return
        made = {place for place, _ in _changes(seen.observations, self.failed, done)}
        lost = {place for place, _ in _changes(seen.control, self.failed, self.failed)} - made
        for (source, table), _ in _changes(seen.control, self.failed, self.failed):
            if (source, table) in lost:
                what = "acknowledged" if done == self.back else "accepted when it came again"
                expected = f"the effect that it has while Stripe works, in {source}, table {table}"
                told, spot = f"none, though the delivery was {what}", spot_of_column(source, table)
                yield Finding(self.name, expected, told, done, kind=Kind.LOST_AFTER_FAILURE, spot=spot)
        for place, change in _changes(seen.observations, done + 1, last):
            source = place[0]
            if place in lost:
                lost.remove(place)  # it came too late, and for the first time
                continue
            expected, spot = "no further effect of the same event", spot_of_column(source)
            yield Finding(self.name, expected, change.describe(source), last, kind=Kind.APPLIED_TWICE, spot=spot)

    def _first_judged(self, seen: Seen) -> int:
        """Return the step from which there is something to judge: Stripe's return, or the next delivery."""
        return self.back if self._is_acknowledged(seen) else self.back + 1

    def _is_acknowledged(self, seen: Seen) -> bool:
        return all(_is_success(one.answer) for one in seen.exchanges if one.step == self.failed)

    def _find_done(self, seen: Seen) -> int | None:
        """Return the step after which the effect must be there, or None where no delivery was accepted."""
        if self._is_acknowledged(seen):
            return self.back
        return next((one.step for one in seen.exchanges if one.step > self.back and _is_success(one.answer)), None)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Return what is missing to tell whether the effect came, and came once."""
        if not any(True for _ in _changes(seen.control, self.failed, self.failed)):
            yield "the same delivery changed nothing while Stripe worked"
        done = self._find_done(seen)
        if done is not None and not any(one.step > done for one in seen.exchanges):
            yield "no copy was delivered after the one that was accepted"


def _changes(
    observations: tuple[Observation, ...], first: int, last: int
) -> Iterator[tuple[tuple[str, str], TableChange]]:
    for one in observations:
        if isinstance(one, StoreChange) and first <= one.step <= last:
            for table in one.tables:
                if not table.rejection_log:
                    yield (one.source, table.table), table


def _is_success(answer: Answer | NoAnswer) -> bool:
    return isinstance(answer, Answer) and answer.status in _SUCCESS


def _describe(answer: Answer | NoAnswer) -> str:
    return f"status {answer.status}" if isinstance(answer, Answer) else answer.reason.value
