"""Whether an event is known is looked up before it is stored, a few milliseconds earlier: copies slip in between."""

import asyncio

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from payproof_reference.services.events import inbox
from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder
from tests.defects import deduplication_missing

WINDOW_SECONDS = 0.003


def plant() -> None:
    deduplication_missing.plant()
    record = Recorder.record

    async def record_unless_known(self, event, **more):
        if await run_in_threadpool(is_known, self._engine, event.id):
            return Receipt(EventOutcome.DUPLICATE)
        await asyncio.sleep(WINDOW_SECONDS)
        return await record(self, event, **more)

    Recorder.record = record_unless_known


def is_known(engine, event_id):
    with engine.connect() as connection:
        return connection.execute(select(inbox.inbox).where(inbox.inbox.c.stripe_event_id == event_id)).first()
