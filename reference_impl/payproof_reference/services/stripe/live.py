"""The gateway to Stripe itself, by the official SDK."""

from typing import TYPE_CHECKING

from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.errors import Failure, FailureKind
from payproof_reference.services.stripe.port import (
    InvoicePage,
    OpenedCheckout,
    OpenedPortal,
    RefundSnapshot,
    check_key,
    check_subscription_id,
)
from payproof_reference.services.stripe.snapshots import CustomerSnapshot, StripeObject, SubscriptionSnapshot

if TYPE_CHECKING:
    from stripe import RequestOptions
    from stripe.params import InvoiceListParams, RefundCreateParams

__all__ = ["LiveStripe"]

NOT_FOUND = 404


class Item(StripeObject):
    id: str


class Items(StripeObject):
    data: list[Item]


class Plans(StripeObject):
    """The plans of a subscription, each with the id under which it can be exchanged."""

    items: Items


class LiveStripe:
    """`StripeGateway` by the official SDK; safe for many threads."""

    def __init__(self, connection: Connection) -> None:
        self._stripe = connection

    def create_customer(self, *, reference: str, idempotency_key: str) -> CustomerSnapshot:
        """Create a customer who carries nothing but the service's own opaque reference."""
        return self._stripe.write(
            "create_customer",
            CustomerSnapshot,
            idempotency_key,
            lambda client, options: client.v1.customers.create({"metadata": {"reference": reference}}, options),
        )

    def create_subscription(self, *, customer_id: str, price_id: str, idempotency_key: str) -> SubscriptionSnapshot:
        """Subscribe a customer and collect the first payment; a decline creates nothing."""
        return self._stripe.write(
            "create_subscription",
            SubscriptionSnapshot,
            idempotency_key,
            lambda client, options: client.v1.subscriptions.create(
                {
                    "customer": customer_id,
                    "items": [{"price": price_id}],
                    # 402 and nothing created. A bank that asks for authentication is a decline here: such customers
                    # subscribe through Checkout, where Stripe asks them.
                    "payment_behavior": "error_if_incomplete",
                },
                options,
            ),
        )

    def retrieve_subscription(self, subscription_id: str) -> SubscriptionSnapshot:
        """Fetch the state of a subscription."""
        check_subscription_id(subscription_id)
        return self._stripe.read(
            "retrieve_subscription",
            SubscriptionSnapshot,
            lambda client: client.v1.subscriptions.retrieve(subscription_id),
        )

    def change_plan(self, subscription_id: str, *, price_id: str, idempotency_key: str) -> SubscriptionSnapshot:
        """Move a subscription of one plan to another price, with prorations; a decline changes nothing."""
        check_subscription_id(subscription_id)
        # Without the item's id Stripe would add a second plan. The id outlives changes of the price, so a repetition
        # sends the same parameters.
        caller = self._stripe.caller
        item_id = caller.call("find_plan", caller.policies.reads, lambda: self._only_item(subscription_id)).id
        return self._stripe.write(
            "change_plan",
            SubscriptionSnapshot,
            idempotency_key,
            lambda client, options: client.v1.subscriptions.update(
                subscription_id,
                {
                    "items": [{"id": item_id, "price": price_id}],
                    "proration_behavior": "create_prorations",
                    "payment_behavior": "error_if_incomplete",
                },
                options,
            ),
        )

    def cancel_at_period_end(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Let a subscription end with the period that is paid."""
        check_subscription_id(subscription_id)
        return self._stripe.write(
            "cancel_at_period_end",
            SubscriptionSnapshot,
            idempotency_key,
            lambda client, options: client.v1.subscriptions.update(
                subscription_id, {"cancel_at_period_end": True}, options
            ),
        )

    def resume(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Take back a cancellation at the period's end, which only works before it."""
        check_subscription_id(subscription_id)
        return self._stripe.write(
            "resume",
            SubscriptionSnapshot,
            idempotency_key,
            lambda client, options: client.v1.subscriptions.update(
                subscription_id, {"cancel_at_period_end": False}, options
            ),
        )

    def cancel_now(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """End a subscription at once; one that has ended already is a success."""
        check_subscription_id(subscription_id)
        options: RequestOptions = {"idempotency_key": check_key(idempotency_key)}

        def attempt() -> SubscriptionSnapshot | Failure:
            outcome = self._stripe.attempt(
                SubscriptionSnapshot, lambda client: client.v1.subscriptions.cancel(subscription_id, {}, options)
            )
            if not isinstance(outcome, Failure) or outcome.status != NOT_FOUND:
                return outcome
            # Stripe ignores the key of a DELETE, and an ended subscription is not found by it. So after a lost answer,
            # as after a crash, the state tells whether the cancellation was done.
            state = self._stripe.attempt(
                SubscriptionSnapshot, lambda client: client.v1.subscriptions.retrieve(subscription_id)
            )
            return outcome if isinstance(state, SubscriptionSnapshot) and state.status != "canceled" else state

        return self._stripe.caller.call("cancel_now", self._stripe.caller.policies.writes, attempt)

    def create_refund(self, *, payment_intent_id: str, amount: int | None, idempotency_key: str) -> RefundSnapshot:
        """Pay back an amount in the currency's smallest unit, or with None all that is left."""
        params: RefundCreateParams = {"payment_intent": payment_intent_id}
        if amount is not None:
            params["amount"] = amount
        return self._stripe.write(
            "create_refund",
            RefundSnapshot,
            idempotency_key,
            lambda client, options: client.v1.refunds.create(params, options),
        )

    def create_checkout_session(
        self, *, customer_id: str, price_id: str, success_url: str, cancel_url: str, idempotency_key: str
    ) -> OpenedCheckout:
        """Open a page on which a customer subscribes."""
        return self._stripe.write(
            "create_checkout_session",
            OpenedCheckout,
            idempotency_key,
            lambda client, options: client.v1.checkout.sessions.create(
                {
                    "mode": "subscription",
                    "customer": customer_id,
                    "line_items": [{"price": price_id, "quantity": 1}],
                    "success_url": success_url,
                    "cancel_url": cancel_url,
                },
                options,
            ),
        )

    def create_portal_session(self, *, customer_id: str, return_url: str, idempotency_key: str) -> OpenedPortal:
        """Open a page on which a customer manages cards and subscriptions."""
        return self._stripe.write(
            "create_portal_session",
            OpenedPortal,
            idempotency_key,
            lambda client, options: client.v1.billing_portal.sessions.create(
                {"customer": customer_id, "return_url": return_url}, options
            ),
        )

    def list_invoices(self, *, customer_id: str, limit: int, starting_after: str | None = None) -> InvoicePage:
        """List up to `limit` invoices of a customer, newest first, after the one with the given id."""
        params: InvoiceListParams = {"customer": customer_id, "limit": limit}
        if starting_after is not None:
            params["starting_after"] = starting_after
        return self._stripe.read("list_invoices", InvoicePage, lambda client: client.v1.invoices.list(params))

    def _only_item(self, subscription_id: str) -> Item | Failure:
        """Find the item that holds the plan."""
        plans = self._stripe.attempt(Plans, lambda client: client.v1.subscriptions.retrieve(subscription_id))
        if isinstance(plans, Failure):
            return plans
        if len(plans.items.data) != 1:
            return Failure(FailureKind.NOT_SUPPORTED, reason="not_one_plan")
        return plans.items.data[0]
