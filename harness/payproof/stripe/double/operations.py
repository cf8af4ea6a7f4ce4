"""Loads every operation, so that it is registered."""

from payproof.stripe.double import (
    catalogue,
    charges,
    checkout,
    customers,
    disputes,
    events,
    invoices,
    offers,
    payment_intents,
    payment_methods,
    plans,
    previews,
    reading,
    searching,
    setup_intents,
    subscriptions,
    test_clocks,
)

__all__ = ["LOADED"]

#: The modules that register operations.
LOADED = (
    *(catalogue, charges, checkout, customers, disputes, events, invoices),
    *(offers, payment_intents, payment_methods, plans, previews, reading, searching, setup_intents, subscriptions),
    test_clocks,
)
