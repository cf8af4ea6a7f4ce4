"""An event of another API version than the service's own is accepted and forgotten."""

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder


def plant() -> None:
    record = Recorder.record

    async def record_own_version(self, event, **more):
        # The shape since basil has the period in the items; this service was written for it.
        if event.data.object.get("object") == "subscription" and "current_period_end" in event.data.object:
            return Receipt(EventOutcome.IGNORED)
        return await record(self, event, **more)

    Recorder.record = record_own_version
