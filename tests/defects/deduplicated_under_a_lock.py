"""A lock of the process keeps copies apart, and what is known is looked up under it: two instances have two locks."""

import asyncio

from starlette.concurrency import run_in_threadpool

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder
from tests.defects import deduplication_missing
from tests.defects.looked_up_before_stored import WINDOW_SECONDS, is_known


def plant() -> None:
    deduplication_missing.plant()
    record = Recorder.record
    lock = asyncio.Lock()

    async def record_alone(self, event, **more):
        async with lock:
            if await run_in_threadpool(is_known, self._engine, event.id):
                return Receipt(EventOutcome.DUPLICATE)
            await asyncio.sleep(WINDOW_SECONDS)
            return await record(self, event, **more)

    Recorder.record = record_alone
