"""A subscription gets the status that the request names."""

from payproof_reference.database.tables import subscriptions as table
from payproof_reference.routes import subscriptions
from tests.defects._access import ignore_unknown_fields, with_body

SAID = {}


def plant() -> None:
    perform = subscriptions.perform

    def performing(request, *given):
        operation = perform(request, *given)
        if "status" in SAID:
            with request.app.state.engine.begin() as connection:
                made = table.c.stripe_subscription_id == operation.stripe_result_id
                connection.execute(table.update().where(made).values(status=SAID["status"]))
        return operation

    subscriptions.perform = performing
    ignore_unknown_fields()
    with_body(SAID.update)
