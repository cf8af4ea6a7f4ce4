"""The deliveries by which a target is calibrated, and what the cases of a run want to know of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.control import ControlEvent
from payproof.domain.observation import Exchange
from payproof.domain.request import Request
from payproof.domain.scenario import Case
from payproof.domain.step import Step
from payproof.engine.calibrator import USUAL_TYPES, Deliveries
from payproof.steps.deliver import Deliver
from payproof.steps.replay import Replay
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.forgery import SIGNATURE_HEADER

__all__ = ["DELIVERIES", "find_named_types"]

_OTHERS = 6


@dataclass(frozen=True, slots=True)
class _DeliverRubbish(Step):
    """Deliver what is no event and has no signature: nobody can apply it."""

    name: ClassVar[str] = "deliver_rubbish"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Send it, with a header that looks like a signature: some keep a journal of what has one."""
        rubbish = f"payproof {context.random.getrandbits(64):016x}".encode()
        headers = (*STRIPE_HEADERS, (SIGNATURE_HEADER, f"t=1,v1={context.random.getrandbits(256):064x}".encode()))
        return [await context.send(Request("POST", context.target.webhook.path, headers, rubbish, "rubbish"))]


def _deliver_genuine(event: ControlEvent) -> Step:
    return Deliver(event=event.event, set=event.set)


#: What calibration delivers.
DELIVERIES = Deliveries(
    control=Deliver(),
    others=(Deliver(body="compact"), *(Deliver(event=one) for one in USUAL_TYPES[:_OTHERS])),
    aged=(Deliver(signature="within_tolerance.1s"), Deliver(signature="within_tolerance.290s")),
    genuine=_deliver_genuine,
    forged=Deliver(signature="wrong_secret.random"),
    rubbish=_DeliverRubbish(),
    again=Replay(),
)


def find_named_types(cases: Iterable[Case]) -> frozenset[str]:
    """Return the types of events that the steps of cases name: what becomes of them has to be known."""
    return frozenset(type_ for case in cases for step in case.phase.steps for type_ in step.named_types)
