"""A customer becomes that tenant's whom the metadata of an event names."""

from payproof_reference.database.tables import customers
from payproof_reference.services.events import inbox


def plant() -> None:
    right = inbox.take_delivery

    def taken(connection, delivery, account):
        receipt = right(connection, delivery, account)
        subject = delivery.event.data.object
        if tenant := (subject.get("metadata") or {}).get("tenant_id"):
            whose = customers.c.stripe_customer_id == subject.get("customer")
            connection.execute(customers.update().where(whose).values(tenant_id=tenant))
        return receipt

    inbox.take_delivery = taken
