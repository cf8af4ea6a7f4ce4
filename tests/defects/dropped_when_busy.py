"""Where many deliveries wait, more are answered as if they had been recorded, and forgotten."""

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder

MOST_WAITING = 12


def plant() -> None:
    record = Recorder.record

    async def record_unless_busy(self, event, **more):
        if len(self._waiting) >= MOST_WAITING:
            return Receipt(EventOutcome.IGNORED)
        return await record(self, event, **more)

    Recorder.record = record_unless_busy
