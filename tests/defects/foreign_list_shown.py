"""A list of one customer's subscriptions is shown to whoever names the customer."""

from sqlalchemy import select

from payproof_reference.database.paging import read_limited
from payproof_reference.database.tables import customers
from payproof_reference.services.state import tenant_queries


def plant() -> None:
    read_page = tenant_queries.read_page

    def showing(connection, holding, tenant_id, *, customer_id=None, **more):
        if customer_id is None:
            return read_page(connection, holding, tenant_id, **more)
        owner = select(customers.c.stripe_customer_id).where(customers.c.stripe_customer_id == customer_id)
        if connection.execute(owner).first() is None:
            return read_page(connection, holding, tenant_id, customer_id=customer_id, **more)
        return read_limited(connection, holding.rows.where(holding.customer_id == customer_id), more["limit"])

    tenant_queries.read_page = showing
