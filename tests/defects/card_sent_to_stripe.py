"""A card that comes with a request goes on to Stripe with the customer."""

from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.services.stripe.snapshots import CustomerSnapshot
from tests.defects._access import ignore_unknown_fields, pass_card_data, with_body

SAID = {}


def plant() -> None:
    def create_customer(self, *, reference, idempotency_key):
        card = {"description": str(SAID["card"]["number"])} if "card" in SAID else {}
        made = {**card, "metadata": {"reference": reference}}
        return self._stripe.write(
            "create_customer",
            CustomerSnapshot,
            idempotency_key,
            lambda client, options: client.v1.customers.create(made, options),
        )

    LiveStripe.create_customer = create_customer
    pass_card_data()
    ignore_unknown_fields()
    with_body(SAID.update)
