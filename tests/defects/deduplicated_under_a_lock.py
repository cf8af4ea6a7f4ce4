"""A lock of the process keeps copies apart, and what is known is looked up under it: two instances have two locks."""

import asyncio

from payproof_reference.services.events.recorder import Recorder
from tests.defects import looked_up_before_stored


def plant() -> None:
    looked_up_before_stored.plant()
    record = Recorder.record
    lock = asyncio.Lock()

    async def record_alone(self, event, **more):
        async with lock:
            return await record(self, event, **more)

    Recorder.record = record_alone
