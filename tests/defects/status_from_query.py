"""A subscription gets the status that the query names."""

from payproof_reference.database.tables import subscriptions as table
from payproof_reference.routes import subscriptions


def plant() -> None:
    perform = subscriptions.perform

    def performing(request, *given):
        operation = perform(request, *given)
        if "status" in request.query_params:
            with request.app.state.engine.begin() as connection:
                made = table.c.stripe_subscription_id == operation.stripe_result_id
                connection.execute(table.update().where(made).values(status=request.query_params["status"]))
        return operation

    subscriptions.perform = performing
