from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.domain.target import Webhook
from payproof.registry import step
from payproof.stripe.deliveries import request_of
from payproof.stripe.foreign import make_foreign

__all__ = ["DeliverAcross"]

_FORGED = "wrong_secret.other_endpoint"


@step
@dataclass(frozen=True, slots=True)
class DeliverAcross(Step):
    """Deliver an event to each of the further endpoints of the target file, under some secret.

    ``signed_for`` says for whom it was signed: for that ``endpoint`` itself, or for the ``webhook``; or the other way
    round, for an endpoint and sent ``to_webhook``. One for Connect gets an event of a connected account.
    """

    name: ClassVar[str] = "deliver_across"
    signed_for: Literal["endpoint", "webhook", "to_webhook"] = "endpoint"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make an event for each endpoint, sign and send it."""
        return [await self._deliver(context, name, one) for name, one in context.target.endpoints.items()]

    async def _deliver(self, context: Context, name: str, endpoint: Webhook) -> Exchange:
        main = context.target.webhook
        event = context.events.make_control()
        body = event.encode()
        receiver = main if self.signed_for == "to_webhook" else endpoint
        if receiver.livemode is not main.livemode:
            body = make_foreign(body, "live_mode" if receiver.livemode else "test_mode", context.random)
        if receiver.connect and receiver is endpoint:
            body = make_foreign(body, "account", context.random)
        signer = main if self.signed_for == "webhook" else endpoint
        told = {
            "endpoint": f"{event.type} for endpoint {name}",
            "webhook": f"{event.type} to endpoint {name}, signed for the webhook",
            "to_webhook": f"{event.type} to the webhook, signed for endpoint {name}",
        }[self.signed_for]
        there = context.at_webhook(replace(receiver, secret=signer.secret))
        request = request_of(there, event, body, note=told)
        return await context.send(request if signer is receiver else replace(request, variant=_FORGED))
