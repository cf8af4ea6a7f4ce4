"""Events are remembered in memory before they are stored, so that one that could not be stored is never applied."""

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder


def plant() -> None:
    record, known = Recorder.record, set()

    async def remembering(self, event, *, received_at, origin):
        if event.id in known:
            return Receipt(EventOutcome.DUPLICATE)
        known.add(event.id)
        return await record(self, event, received_at=received_at, origin=origin)

    Recorder.record = remembering
