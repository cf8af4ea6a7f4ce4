"""That an event was taken in is committed before its effect: a crash in between loses the effect for good."""

import time

from payproof_reference.services.events import inbox, transactions

BETWEEN_SECONDS = 0.02


def plant() -> None:
    record = transactions.record_in_one_transaction
    claim = inbox.claim_event

    def record_in_two_transactions(engine, audit, deliveries, account):
        with engine.begin() as connection:
            mine = {one.event.id for one in deliveries if claim(connection, one.event, one.received_at)}
        time.sleep(BETWEEN_SECONDS)
        inbox.claim_event = lambda _connection, event, _received_at: event.id in mine
        return record(engine, audit, deliveries, account)

    transactions.record_in_one_transaction = record_in_two_transactions
