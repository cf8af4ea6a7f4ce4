"""Stripe in memory: the same port, with state."""

import itertools
import time
from collections.abc import Callable, Mapping

from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.services.stripe.port import (
    InvoicePage,
    InvoiceSummary,
    OpenedCheckout,
    OpenedPortal,
    RefundSnapshot,
    check_subscription_id,
)
from payproof_reference.services.stripe.snapshots import (
    CustomerSnapshot,
    PriceSnapshot,
    SubscriptionItem,
    SubscriptionItems,
    SubscriptionSnapshot,
)
from tests.reference_impl.stripe_replay import Replay

__all__ = ["InMemoryStripe"]

DAY = 24 * 3600
MONTH = 30 * DAY


class InMemoryStripe:
    """`StripeGateway` without Stripe; safe for many threads.

    Args:
        prices: what each price costs a month, in the smallest unit of `currency`.
        currency: as Stripe writes it, in lower case.
        clock: seconds since the epoch.

    Attributes:
        replay: has the calls in order, and takes the faults that are to come.
        customers: their references, by id.
        subscriptions: by id.
        invoices: those of each customer by id, oldest first.
        paid: what is left of each payment, by the id of its payment intent.
    """

    def __init__(
        self, prices: Mapping[str, int], *, currency: str = "usd", clock: Callable[[], float] = time.time
    ) -> None:
        self.replay = Replay()
        self.customers: dict[str, str] = {}
        self.subscriptions: dict[str, SubscriptionSnapshot] = {}
        self.invoices: dict[str, list[InvoiceSummary]] = {}
        self.paid: dict[str, int] = {}
        self._prices = prices
        self._currency = currency
        self._clock = clock
        self._numbers = itertools.count(1)

    def create_customer(self, *, reference: str, idempotency_key: str) -> CustomerSnapshot:
        """Create a customer."""

        def effect() -> CustomerSnapshot:
            customer = CustomerSnapshot(id=self._new_id("cus"))
            self.customers[customer.id] = reference
            return customer

        return self.replay.write("create_customer", idempotency_key, (reference,), effect)

    def create_subscription(self, *, customer_id: str, price_id: str, idempotency_key: str) -> SubscriptionSnapshot:
        """Create an active subscription, whose first invoice is paid."""

        def effect() -> SubscriptionSnapshot:
            demand(customer_id in self.customers and price_id in self._prices)
            subscription = SubscriptionSnapshot(
                id=self._new_id("sub"),
                customer=customer_id,
                status="active",
                items=self._items(price_id, int(self._clock()) + MONTH),
            )
            self.subscriptions[subscription.id] = subscription
            self._collect(subscription, self._prices[price_id])
            return subscription

        return self.replay.write("create_subscription", idempotency_key, (customer_id, price_id), effect)

    def retrieve_subscription(self, subscription_id: str) -> SubscriptionSnapshot:
        """Fetch the state of a subscription."""
        check_subscription_id(subscription_id)
        return self.replay.read("retrieve_subscription", lambda: self._found(subscription_id))

    def change_plan(self, subscription_id: str, *, price_id: str, idempotency_key: str) -> SubscriptionSnapshot:
        """Exchange the price."""
        check_subscription_id(subscription_id)

        def effect() -> SubscriptionSnapshot:
            demand(price_id in self._prices)
            period_end = self._found(subscription_id).period_end
            return self._update(subscription_id, items=self._items(price_id, period_end))

        return self.replay.write("change_plan", idempotency_key, (subscription_id, price_id), effect)

    def cancel_at_period_end(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Note the cancellation; time does not pass here, so the subscription stays active."""
        check_subscription_id(subscription_id)
        return self.replay.write(
            "cancel_at_period_end",
            idempotency_key,
            (subscription_id,),
            lambda: self._update(subscription_id, cancel_at_period_end=True),
        )

    def resume(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Take the cancellation back."""
        check_subscription_id(subscription_id)
        return self.replay.write(
            "resume",
            idempotency_key,
            (subscription_id,),
            lambda: self._update(subscription_id, cancel_at_period_end=False),
        )

    def cancel_now(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """End the subscription, or return it when it has ended."""
        check_subscription_id(subscription_id)

        def effect() -> SubscriptionSnapshot:
            found = self._found(subscription_id)
            return found if found.status == "canceled" else self._update(subscription_id, status="canceled")

        return self.replay.write("cancel_now", idempotency_key, (subscription_id,), effect)

    def create_refund(self, *, payment_intent_id: str, amount: int | None, idempotency_key: str) -> RefundSnapshot:
        """Pay back, at most what is left."""

        def effect() -> RefundSnapshot:
            left = self.paid.get(payment_intent_id, 0)
            paid_back = left if amount is None else amount
            demand(0 < paid_back <= left)
            self.paid[payment_intent_id] = left - paid_back
            return RefundSnapshot(
                id=self._new_id("re"),
                payment_intent=payment_intent_id,
                amount=paid_back,
                currency=self._currency,
                status="succeeded",
                created=int(self._clock()),
            )

        return self.replay.write("create_refund", idempotency_key, (payment_intent_id, amount), effect)

    def create_checkout_session(
        self, *, customer_id: str, price_id: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> OpenedCheckout:
        """Open a page that nobody visits."""

        def effect() -> OpenedCheckout:
            demand(customer_id in self.customers and price_id in self._prices)
            number = self._new_id("cs_test")
            address = f"https://checkout.stripe.test/c/pay/{number}"
            return OpenedCheckout(id=number, url=address, status="open", expires_at=int(self._clock()) + DAY)

        params = (customer_id, price_id, success_url, cancel_url)
        return self.replay.write("create_checkout_session", idempotency_key, params, effect)

    def create_portal_session(self, *, customer_id: str, return_url: str, idempotency_key: str) -> OpenedPortal:
        """Open a page that nobody visits."""

        def effect() -> OpenedPortal:
            demand(customer_id in self.customers)
            number = self._new_id("bps")
            address = f"https://billing.stripe.test/p/session/{number}"
            return OpenedPortal(id=number, url=address, created=int(self._clock()))

        return self.replay.write("create_portal_session", idempotency_key, (customer_id, return_url), effect)

    def list_invoices(self, *, customer_id: str, limit: int, starting_after: str | None = None) -> InvoicePage:
        """List invoices, newest first."""

        def found() -> InvoicePage:
            newest_first = self.invoices.get(customer_id, [])[::-1]
            if starting_after is not None:
                ids = [invoice.id for invoice in newest_first]
                demand(starting_after in ids)
                newest_first = newest_first[ids.index(starting_after) + 1 :]
            return InvoicePage(data=newest_first[:limit], has_more=len(newest_first) > limit)

        return self.replay.read("list_invoices", found)

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):06}"

    def _items(self, price_id: str, period_end: int | None) -> SubscriptionItems:
        """Build the items of a subscription of one plan."""
        price = PriceSnapshot(id=price_id, unit_amount=self._prices[price_id], currency=self._currency)
        return SubscriptionItems(data=[SubscriptionItem(price=price, current_period_end=period_end)])

    def _found(self, subscription_id: str) -> SubscriptionSnapshot:
        demand(subscription_id in self.subscriptions)
        return self.subscriptions[subscription_id]

    def _update(self, subscription_id: str, **changes: object) -> SubscriptionSnapshot:
        """Change a subscription that has not ended."""
        found = self._found(subscription_id)
        demand(found.status != "canceled")
        self.subscriptions[subscription_id] = found.model_copy(update=changes)
        return self.subscriptions[subscription_id]

    def _collect(self, subscription: SubscriptionSnapshot, amount: int) -> None:
        """Bill a period, and have it paid."""
        self.paid[self._new_id("pi")] = amount
        invoice = InvoiceSummary(
            id=self._new_id("in"),
            status="paid",
            amount_due=amount,
            amount_paid=amount,
            currency=self._currency,
            created=int(self._clock()),
        )
        self.invoices.setdefault(subscription.customer, []).append(invoice)


def demand(condition: bool) -> None:
    """Refuse a call as Stripe refuses a bad parameter or an unknown id.

    Raises:
        BillingError: INVALID_REQUEST.
    """
    if not condition:
        raise BillingError(Category.INVALID_REQUEST)
