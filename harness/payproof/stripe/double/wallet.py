"""Which card pays for a customer."""

from payproof.stripe.double.payment_methods import attach, made_of
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["default_method", "give_card"]


def give_card(store: ObjectStore, customer_id: str, card: str) -> Object:
    """Attach a test card to a customer, and make it the one that pays the invoices; return its PaymentMethod.

    Raises:
        ApiError: there is no such card, or it is declined when it is attached.
    """
    method = attach(store, made_of(store, card, "payment_method"), customer_id)
    before = store.living("customer", customer_id)
    settings = before["invoice_settings"] | {"default_payment_method": method["id"]}
    after, before = store.change("customer", customer_id, {"invoice_settings": settings})
    store.emit("customer.updated", after, before)
    return method


def default_method(store: ObjectStore, customer_id: str) -> str | None:
    """Return the id of the PaymentMethod that pays a customer's invoices, if there is one."""
    customer = store.find("customer", customer_id) or {}
    settings = customer.get("invoice_settings") or {}
    method: str | None = settings.get("default_payment_method")
    return method
