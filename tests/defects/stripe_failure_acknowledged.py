"""An event whose handling failed at Stripe is acknowledged all the same, so that Stripe never delivers it again."""

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder
from payproof_reference.services.stripe.errors import BillingError


def plant() -> None:
    record = Recorder.record

    async def acknowledging(self, event, *, received_at, origin):
        try:
            return await record(self, event, received_at=received_at, origin=origin)
        except BillingError:
            return Receipt(EventOutcome.IGNORED)

    Recorder.record = acknowledging
