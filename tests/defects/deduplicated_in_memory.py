"""Which events were taken in is known to the process only: another instance, or the next, takes them in again."""

import asyncio

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder
from tests.defects import deduplication_missing

ANSWER_SECONDS = 0.02


def plant() -> None:
    deduplication_missing.plant()
    record = Recorder.record
    known: set[str] = set()

    async def record_unless_known(self, event, **more):
        if event.id in known:
            return Receipt(EventOutcome.DUPLICATE)
        known.add(event.id)
        receipt = await record(self, event, **more)
        await asyncio.sleep(ANSWER_SECONDS)  # as if it had more to do before it answers
        return receipt

    Recorder.record = record_unless_known
