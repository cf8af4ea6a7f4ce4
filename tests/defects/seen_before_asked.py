"""An event is remembered before Stripe is asked, so that after a failure its next delivery is taken for a duplicate."""

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder
from payproof_reference.services.stripe.errors import BillingError


def plant() -> None:
    record, kept = Recorder.record, set()

    async def keeping(self, event, *, received_at, origin):
        if event.id in kept:
            return Receipt(EventOutcome.DUPLICATE)
        try:
            return await record(self, event, received_at=received_at, origin=origin)
        except BillingError:
            kept.add(event.id)
            raise

    Recorder.record = keeping
