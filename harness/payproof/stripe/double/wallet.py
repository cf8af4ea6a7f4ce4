"""Which card pays for a customer."""

from payproof.stripe.double.books import Books
from payproof.stripe.double.payment_methods import attach, made_of
from payproof.stripe.double.relations import Object

__all__ = ["default_method", "give_card"]


def give_card(books: Books, customer_id: str, card: str) -> Object:
    """Attach a test card to a customer, and make it the one that pays the invoices; return its PaymentMethod.

    Raises:
        ApiError: there is no such card, or it is declined when it is attached.
    """
    method = attach(books, made_of(books, card, "payment_method"), customer_id)
    before = books.living("customer", customer_id)
    settings = before["invoice_settings"] | {"default_payment_method": method["id"]}
    after, before = books.change("customer", customer_id, {"invoice_settings": settings})
    books.emit("customer.updated", after, before)
    return method


def default_method(books: Books, customer_id: str) -> str | None:
    """Return the id of the PaymentMethod that pays a customer's invoices, if there is one."""
    customer = books.find("customer", customer_id) or {}
    settings = customer.get("invoice_settings") or {}
    method: str | None = settings.get("default_payment_method")
    return method
