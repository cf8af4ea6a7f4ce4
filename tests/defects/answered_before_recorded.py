"""A delivery is answered before it is recorded, which is done in the background: a crash meanwhile loses it."""

import asyncio

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder

DELAY_SECONDS = 0.05


def plant() -> None:
    record = Recorder.record
    under_way = set()

    async def record_later(self, event, **more):
        async def do():
            await asyncio.sleep(DELAY_SECONDS)
            await record(self, event, **more)

        task = asyncio.create_task(do())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return Receipt(EventOutcome.APPLIED)

    Recorder.record = record_later
