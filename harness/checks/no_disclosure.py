from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from harness.domain.contracts import Seen
from harness.domain.finding import Finding
from harness.domain.observation import Answer, Channel
from harness.domain.sensitive import Exposure
from harness.registry import check, detectors
from harness.stripe.upstream.errors import KIND

__all__ = ["PAYERS_OWN", "NoDisclosure"]

#: What the run's ledger calls what Stripe makes for the payer to know, and for nobody else.
PAYERS_OWN = "client secret of a payment"


@check
@dataclass(frozen=True, slots=True)
class NoDisclosure:
    """No answer and no log line holds a secret, a signature or personal data; no answer shows internals.

    What Stripe's errors tell is as sensitive, but for the fields that the contract lets the log hold.
    """

    name: ClassVar[str] = "no_disclosure"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP, Channel.LOG})
    patient: ClassVar[bool] = False
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each value and each detector's hit."""
        for exchange in seen.exchanges:
            answer = exchange.answer
            if isinstance(answer, Answer):
                # Whoever pays is told the client secret of the payment: that is what it is for.
                told = (one for one in answer.exposures if not (exchange.sent.calls and one.label == PAYERS_OWN))
                yield from self._exposed("the answer", exchange.step, told)
                text = "\n".join([*(f"{name}: {value}" for name, value in answer.headers), answer.body])
                yield from self._internals(text.encode(), exchange.step)
        for lines in seen.lines:
            logged = seen.contract.operations.logged
            kept = [one for one in lines.exposures if not (one.kind == KIND and one.label in logged)]
            yield from self._exposed(f"log {lines.source}", lines.step, kept)

    def _exposed(self, place: str, step: int, exposures: Iterable[Exposure]) -> Iterator[Finding]:
        for exposure in exposures:
            what = f"{exposure.kind} ({exposure.label}) in {place}, {exposure.where}"
            yield Finding(self.name, "no sensitive value", what, step)

    def _internals(self, text: bytes, step: int) -> Iterator[Finding]:
        for detector in detectors().values():
            for hit in detector.find(text):
                start = max(0, hit.start - 40)
                evidence = text[start : hit.end + 160].decode("utf-8", "replace")
                yield Finding(self.name, "no internals shown", hit.what, step, hit.confidence, (evidence,))
