"""An operation is noted with the customer at Stripe that the request names."""

from tests.defects._access import keep_field


def plant() -> None:
    keep_field("stripe_customer_id")
