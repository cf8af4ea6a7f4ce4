from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["DeliverCaused"]


@step
@dataclass(frozen=True, slots=True)
class DeliverCaused(Step):
    """Deliver the webhooks of what the steps before caused at Stripe, signed, with the ids of its objects.

    ``order`` is that of the changes, its reverse, or any. With ``again`` those that this phase has delivered are
    delivered once more, each under a signature of now.
    """

    name: ClassVar[str] = "deliver_caused"
    order: Literal["as_caused", "reversed", "shuffled"] = "as_caused"
    again: bool = False

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Send them one after another.

        Raises:
            InconclusiveError: there are none.
        """
        delivered = {request.ids[0] for request in context.sent if request.ids}
        requests = [
            signed_request(context, event, event.encode(), note=f"webhook {number} of what was caused")
            for number, event in enumerate(context.stripe.caused_events(), start=1)
            if (event.id in delivered) is self.again
        ]
        if not requests:
            raise InconclusiveError(Reason.PREPARATION_FAILED, "nothing that was done at Stripe has caused a webhook")
        match self.order:
            case "reversed":
                requests.reverse()
            case "shuffled":
                context.random.shuffle(requests)
        return [await context.send(request) for request in requests]
