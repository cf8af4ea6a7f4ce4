"""Whether an event is known is looked up before it is stored, a few milliseconds earlier: copies slip in between."""

import asyncio
import secrets

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from payproof_reference.database.tables import customers, inbox
from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder

WINDOW_SECONDS = 0.003


def plant() -> None:
    record = Recorder.record

    async def record_unless_known(self, event, *, received_at, origin):
        if await run_in_threadpool(is_known, self._engine, event.id):
            return Receipt(EventOutcome.DUPLICATE)
        await asyncio.sleep(WINDOW_SECONDS)
        await run_in_threadpool(make_customer, self._engine, received_at)
        return await record(self, event, received_at=received_at, origin=origin)

    Recorder.record = record_unless_known


def is_known(engine, event_id):
    with engine.connect() as connection:
        return connection.execute(select(inbox).where(inbox.c.stripe_event_id == event_id)).first() is not None


def make_customer(engine, made_at):
    """Do what must be done once for each event."""
    row = {"stripe_customer_id": f"cus_{secrets.token_hex(7)}", "deleted": False, "event_created_at": made_at}
    with engine.begin() as connection:
        connection.execute(customers.insert().values(row))
