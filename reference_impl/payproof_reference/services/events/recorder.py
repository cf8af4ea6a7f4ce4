"""The queue of deliveries before the database: those that arrive while a transaction runs share the next one.

A commit waits for the disk, and the audit log has one end, so that transactions queue there whatever they do. With many
deliveries in each the queue is short (group commit). Nothing waits when nothing else is under way.

From here the way leads down only: transactions, inbox, effects, and the rows of `services/state`.
"""

import asyncio
import time
from collections import deque
from dataclasses import replace
from functools import partial

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine

from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.events import audit_records, event_types, transactions
from payproof_reference.services.events.delivery import Account, Fetched, Receipt, UndecidedError, VerifiedDelivery
from payproof_reference.services.events.webhooks import StripeEvent
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.services.stripe.port import StripeGateway
from payproof_reference.services.stripe.snapshots import SubscriptionSnapshot

__all__ = ["Recorder"]

# Stripe waits 10 seconds for an answer.
ANSWER_SECONDS = 9
# After a transaction of many has failed, each is tried alone for so many seconds; the rest must come again.
ALONE_SECONDS = 4
LARGEST_BATCH = 64
MOST_WAITING = 2000


class Recorder:
    """Takes verified events in; for the tasks of one event loop.

    Args:
        engine: the database.
        audit: the audit log in it.
        gateway: is asked where two events of one second disagree, never during a transaction.
        account: whose events count.
    """

    def __init__(self, engine: Engine, audit: AuditLog, gateway: StripeGateway, account: Account) -> None:
        self._engine = engine
        self._audit = audit
        self._gateway = gateway
        self._account = account
        self._waiting: deque[tuple[VerifiedDelivery, asyncio.Future[Receipt]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        # Its own, so that no slow call elsewhere takes its thread.
        self._thread = CapacityLimiter(1)

    async def record(self, event: StripeEvent, *, received_at: int, origin: str) -> Receipt:
        """Take an event in; it is committed when this returns.

        Args:
            event: verified and parsed.
            received_at: seconds since the epoch.
            origin: the address that delivered it.

        Raises:
            RejectedError: the object in the event is not what its type says.
            BillingError: Stripe has to be asked, and does not answer. Nothing was applied.
            TimeoutError: it could not be done in the time that the sender waits.
            SQLAlchemyError: nothing was recorded.
        """
        delivery = VerifiedDelivery(event, event_types.read_snapshot(event), received_at, origin)
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                try:
                    return await self._wait_for_transaction(delivery)
                except UndecidedError as undecided:
                    delivery = replace(delivery, fetched=Fetched(await self._ask_stripe(delivery), undecided.since))

    async def _wait_for_transaction(self, delivery: VerifiedDelivery) -> Receipt:
        """Wait until a transaction has taken the delivery."""
        if len(self._waiting) >= MOST_WAITING:
            raise TimeoutError("too many deliveries wait")
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._record_waiting())
        return await future

    async def _record_waiting(self) -> None:
        """Record the deliveries that wait, in the order of arrival, until none waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(LARGEST_BATCH, len(self._waiting)))]
            still_waiting = (entry for entry in batch if not entry[1].done())
            # By their objects, so that two processes never wait for each other's rows.
            batch = sorted(still_waiting, key=lambda entry: build_sort_key(entry[0]))
            outcomes = await to_thread.run_sync(
                partial(
                    transactions.record_together,
                    self._engine,
                    self._audit,
                    [delivery for delivery, _ in batch],
                    self._account,
                    until=time.monotonic() + ALONE_SECONDS,
                ),
                limiter=self._thread,
            )
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():  # nobody waits any more
                    continue
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    async def _ask_stripe(self, delivery: VerifiedDelivery) -> SubscriptionSnapshot:
        """Fetch the state that two events of one second tell differently."""
        # The events of other objects settle it among themselves.
        assert isinstance(delivery.snapshot, SubscriptionSnapshot)
        try:
            return await to_thread.run_sync(
                self._gateway.retrieve_subscription, delivery.snapshot.id, abandon_on_cancel=True
            )
        except BillingError as error:
            record = audit_records.build_failure_record(delivery, error)
            await to_thread.run_sync(self._audit.note, self._engine, record)
            raise


def build_sort_key(delivery: VerifiedDelivery) -> tuple[str, str]:
    """Build the key by which the deliveries of one transaction are sorted."""
    return (delivery.snapshot.id if delivery.snapshot else "", delivery.event.id)
