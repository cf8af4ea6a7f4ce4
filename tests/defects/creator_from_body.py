"""An operation is entered for the credential that the request names."""

from payproof_reference.services.operations import queue
from tests.defects._access import ignore_unknown_fields, with_body

SAID = {}


def plant() -> None:
    enter = queue.enter_operation

    def entering(connection, wanted, now, **more):
        made = enter(connection, wanted, now, **more)
        if made is not None and "created_by" in SAID:
            ours = queue.table.c.operation_id == made.operation_id
            connection.execute(queue.table.update().where(ours).values(credential_id=SAID["created_by"]))
        return made

    queue.enter_operation = entering
    ignore_unknown_fields()
    with_body(SAID.update)
