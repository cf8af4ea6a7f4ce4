"""An operation that the database does not take is asked of Stripe all the same, under a key that nothing remembers."""

from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from payproof_reference.routes import subscriptions
from payproof_reference.services.operations.queue import Kind


def plant() -> None:
    perform = subscriptions.perform

    def hasty(request, principal, wanted, client_key):
        try:
            return perform(request, principal, wanted, client_key)
        except SQLAlchemyError:
            if wanted.kind is Kind.CREATE_SUBSCRIPTION:
                customer_id, price_id = wanted.stripe_customer_id, wanted.stripe_price_id
                request.app.state.gateway.create_subscription(
                    customer_id=customer_id, price_id=price_id, idempotency_key=str(uuid4())
                )
            raise

    subscriptions.perform = hasty
