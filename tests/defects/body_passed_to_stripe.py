"""A customer is created at Stripe with whatever the request says of it."""

from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.services.stripe.snapshots import CustomerSnapshot
from tests.defects._access import ignore_unknown_fields, with_body

SAID = {}


def plant() -> None:
    def create_customer(self, *, reference, idempotency_key):
        made = {**SAID, "metadata": {"reference": reference}}
        return self._stripe.write(
            "create_customer",
            CustomerSnapshot,
            idempotency_key,
            lambda client, options: client.v1.customers.create(made, options),
        )

    LiveStripe.create_customer = create_customer
    ignore_unknown_fields()

    def read(content):
        SAID.clear()
        SAID.update(content)

    with_body(read)
