"""Whoever names a subscription or a customer by its id may use it, whichever tenant it is of."""

from sqlalchemy import select

from payproof_reference.services.refusals import Refusal, RefusedError
from payproof_reference.services.state import tenant_queries


def plant() -> None:
    def lock(connection, _tenant_id, id_, value):
        found = connection.execute(select(id_.table.c.stripe_customer_id).where(id_ == value)).scalar()
        if found is None:
            raise RefusedError(Refusal.NOT_FOUND)
        return str(found)

    tenant_queries.lock_customer = lock
