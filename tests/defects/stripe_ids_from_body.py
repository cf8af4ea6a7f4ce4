"""An operation is entered with the ids at Stripe that the request names."""

from payproof_reference.services.operations import queue
from tests.defects._access import ignore_unknown_fields, with_body

SAID = {}


def plant() -> None:
    settle = queue.settle_operation

    def settling(connection, operation, **values):
        settled = settle(connection, operation, **values)
        if "on_behalf_of" in SAID:
            ours = queue.table.c.operation_id == operation.operation_id
            connection.execute(queue.table.update().where(ours).values(stripe_price_id=SAID["on_behalf_of"]))
        return settled

    queue.settle_operation = settling
    ignore_unknown_fields()
    with_body(SAID.update)
