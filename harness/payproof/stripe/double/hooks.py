"""What happens at Stripe without a call of the merchant's: the part of payers, banks and the dashboard."""

from collections.abc import Iterator
from contextlib import contextmanager

from payproof.errors import ConfigurationError
from payproof.stripe.double.billing import mark_paid
from payproof.stripe.double.catalogue import made_price
from payproof.stripe.double.charges import refund_charge
from payproof.stripe.double.checkout import complete, settle
from payproof.stripe.double.disputes import decide, open_dispute
from payproof.stripe.double.errors import ApiError
from payproof.stripe.double.lifecycle import cancel, settle_invoice
from payproof.stripe.double.payments import authenticate
from payproof.stripe.double.relations import Object, invoice_of_intent
from payproof.stripe.double.store import AfterRetries, ObjectStore
from payproof.stripe.double.test_clocks import find_clock
from payproof.stripe.double.wallet import give_card

__all__ = ["Hooks"]


class Hooks:
    """Acts on an account from outside.

    Each act returns what it made or changed, in the newest shape, and puts its events on the queue; it raises
    ConfigurationError, with Stripe's words, where Stripe would not let it happen.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @contextmanager
    def _act(self, object_id: str = "") -> Iterator[ObjectStore]:
        """Act at the test clock of an object, if it is on one."""
        try:
            with self._store.at_clock(find_clock(self._store, object_id)):
                yield self._store
        except ApiError as error:
            self._store.roll_back()
            raise ConfigurationError(f"Stripe would refuse this: {error}") from None
        self._store.commit()

    def prepare(self, customer_id: str | None, after_retries: str) -> None:
        """Give the next customers of test clocks an id that a target knows, and set what the dashboard sets."""
        if customer_id:
            self._store.expect_id("customer", customer_id)
        self._store.after_retries = AfterRetries(after_retries)

    def sell(self, price_id: str, *, amount: int, currency: str, recurring: bool) -> Object:
        """Offer a price under an id that a target has in its configuration; ``recurring`` ones are paid each month."""
        with self._act() as store:
            product = store.make("product", {"name": price_id, "updated": store.now()})
            data = {"id": price_id, "unit_amount": amount, "currency": currency}
            return made_price(store, product["id"], data | ({"recurring": {"interval": "month"}} if recurring else {}))

    def give_card(self, customer_id: str, card: str = "pm_card_visa") -> Object:
        """Give a customer a test card, as one typed in on a page, to pay the invoices with."""
        with self._act(customer_id) as store:
            store.living("customer", customer_id)
            return give_card(store, customer_id, card)

    def complete_checkout(self, session_id: str, card: str = "pm_card_visa", *, asynchronous: bool = False) -> Object:
        """Pay on a Checkout page; with ``asynchronous``, in mode ``payment``, the money is still on its way."""
        with self._act(session_id) as store:
            return complete(store, session_id, card, asynchronous=asynchronous)

    def settle_checkout(self, session_id: str, *, succeeded: bool = True) -> Object:
        """Let the money of an asynchronous payment arrive, or not."""
        with self._act(session_id) as store:
            return settle(store, session_id, succeeded=succeeded)

    def authenticate(self, intent_id: str, *, succeeded: bool = True) -> Object:
        """Answer the bank's question that a PaymentIntent waits for."""
        with self._act(intent_id) as store:
            intent = authenticate(store, intent_id, succeeded=succeeded)
            if (invoice_id := invoice_of_intent(intent)) is not None and intent["status"] == "succeeded":
                settle_invoice(store, mark_paid(store, invoice_id))
            return intent

    def dispute(self, charge_id: str, reason: str = "fraudulent", amount: int | None = None) -> Object:
        """Dispute a charge."""
        with self._act(charge_id) as store:
            return open_dispute(store, store.living("charge", charge_id), reason, amount)

    def decide_dispute(self, dispute_id: str, *, won: bool) -> Object:
        """Decide a dispute, as the bank does."""
        with self._act(dispute_id) as store:
            store.living("dispute", dispute_id)
            return decide(store, dispute_id, won=won)

    def refund(self, charge_id: str, amount: int | None = None) -> Object:
        """Pay back a charge on the dashboard."""
        with self._act(charge_id) as store:
            return refund_charge(store, store.living("charge", charge_id), amount, None)

    def cancel(self, subscription_id: str) -> Object:
        """End a subscription on the dashboard or the portal."""
        with self._act(subscription_id) as store:
            return cancel(store, subscription_id)
