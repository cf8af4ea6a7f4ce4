import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import resigned_request

__all__ = ["Redeliver"]

_PENDING = re.compile(rb'("pending_webhooks"\s*:\s*)(\d+)')


@step
@dataclass(frozen=True, slots=True)
class Redeliver(Step):
    """Deliver the last event once more under a signature of now, as Stripe does where it was not acknowledged.

    With ``pending`` the body tells another number of endpoints that still wait for the event, as Stripe's does where
    others have taken it meanwhile. With ``instance`` it goes to the second instance of the target. ``first`` takes the
    first event of the phase in place of the last.
    """

    name: ClassVar[str] = "redeliver"
    pending: bool = False
    instance: bool = False
    first: bool = False

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Sign it anew and send it."""
        request = context.sent[0 if self.first else -1]
        if self.pending:
            body = _PENDING.sub(lambda found: b"%s%d" % (found[1], int(found[2]) + 1), request.body)
            assert body != request.body, "each of Stripe's events tells how many endpoints wait for it"
            request = replace(request, body=body)
        there = context.at_instance() if self.instance else context
        return [await there.send(resigned_request(context, request))]
