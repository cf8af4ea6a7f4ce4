"""Stripe makes the customer before anybody looks at the role."""

from payproof_reference.text.references import new_reference
from tests.defects._access import around_guard


def plant() -> None:
    def call(request, _principal, _guard):
        key = new_reference()
        request.app.state.gateway.create_customer(reference=key, idempotency_key=key)

    around_guard(call)
