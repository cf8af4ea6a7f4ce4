"""What flows do at Stripe: each act is a function of a player, by the name that flows call it.

Only a payer's part on a page of Stripe's is no call to its API.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from payproof.domain.flow import Act
from payproof.errors import InconclusiveError, Reason
from payproof.stripe.flows.player import Player

__all__ = ["ACTS", "play"]

Action = Callable[..., Awaitable[None]]

#: Every act by its name.
ACTS: dict[str, Action] = {}

_DAY, _HOUR = 24 * 3600, 3600
# Stripe moves a clock on by two periods of a subscription at most, and the shortest that flows have is a month.
_LONGEST = 55 * _DAY
_POLLS, _POLL_SECONDS = 120, 0.5
_AMOUNT = 1000
_PAGE_URL = "https://example.com/"


def _act(function: Action) -> Action:
    ACTS[function.__name__] = function
    return function


async def play(player: Player, act: Act) -> None:
    """Do one thing.

    Raises:
        InconclusiveError: Stripe refuses it.
    """
    await ACTS[act.name](player, **act.values)


@_act
async def create_customer(player: Player, *, card: str = "pm_card_visa") -> None:
    """Make a customer on the test clock, as the target knows one, with a card or, with an empty name, without."""
    subject = player.subject
    given: dict[str, Any] = {"test_clock": player.need("clock"), "metadata": dict(subject.metadata)}
    customer = await player.call("POST /v1/customers", **given, **({"email": subject.email} if subject.email else {}))
    player.keep("customer", customer["id"])
    given_card = customer["invoice_settings"]["default_payment_method"]
    if card:
        await use_card(player, card=card)
    elif given_card:  # as the double gives one to each customer
        await player.call(f"POST /v1/payment_methods/{given_card}/detach")


@_act
async def use_card(player: Player, *, card: str) -> None:
    """Pay all that comes by another card."""
    customer = player.need("customer")
    method = await player.call(f"POST /v1/payment_methods/{card}/attach", customer=customer)
    player.ids["payment_method"] = method["id"]
    await player.call(f"POST /v1/customers/{customer}", invoice_settings={"default_payment_method": method["id"]})


@_act
async def remove_card(player: Player) -> None:
    """Take the customer's card away."""
    await player.call(f"POST /v1/payment_methods/{player.need('payment_method')}/detach")


@_act
async def subscribe(
    player: Player, *, quantity: int = 1, trial_days: int = 0, without_card: str = "create_invoice"
) -> None:
    """Subscribe to the price that the target knows, after a trial or at once."""
    trial: dict[str, Any] = {}
    if trial_days:
        settings = {"end_behavior": {"missing_payment_method": without_card}}
        trial = {"trial_period_days": trial_days, "trial_settings": settings}
    subscription = await player.call(
        "POST /v1/subscriptions",
        customer=player.need("customer"),
        items=[{"price": await _price(player, 0), "quantity": quantity}],
        payment_behavior="allow_incomplete",
        metadata=dict(player.subject.metadata),
        **trial,
    )
    player.keep("subscription", subscription["id"])


async def _price(player: Player, number: int) -> str:
    """Return a price that the target knows."""
    known = player.account.prices
    if number < len(known):
        return known[number]
    if number:
        raise InconclusiveError(Reason.PREPARATION_FAILED, f"the target file names {len(known)} recurring prices only")
    if "price" not in player.ids:
        made = {"currency": "usd", "unit_amount": _AMOUNT, "recurring": {"interval": "month"}}
        price = await player.call("POST /v1/prices", product_data={"name": "Payproof"}, **made)
        player.ids["price"] = price["id"]
    return player.ids["price"]


@_act
async def advance(player: Player, *, days: int = 0, hours: int = 0) -> None:
    """Move the clock on."""
    until, clock = player.now + days * _DAY + hours * _HOUR, player.need("clock")
    while player.now < until:
        player.now = min(until, player.now + _LONGEST)
        await player.call(f"POST /v1/test_helpers/test_clocks/{clock}/advance", frozen_time=player.now)
        for _ in range(_POLLS):
            status = (await player.call(f"GET /v1/test_helpers/test_clocks/{clock}"))["status"]
            if status == "ready":
                break
            await asyncio.sleep(_POLL_SECONDS)
        else:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, f"the test clock is {status}, and does not become ready")


@_act
async def pay(player: Player, *, card: str = "pm_card_visa") -> None:
    """Pay the invoice that is open, by another card."""
    await use_card(player, card=card)
    subscription = await player.call(f"GET /v1/subscriptions/{player.need('subscription')}")
    await player.call(
        f"POST /v1/invoices/{subscription['latest_invoice']}/pay", payment_method=player.need("payment_method")
    )


@_act
async def cancel(player: Player, *, at: str = "now") -> None:
    """End the subscription ``now`` or at the ``period_end``."""
    path = f"/v1/subscriptions/{player.need('subscription')}"
    await (
        player.call(f"POST {path}", cancel_at_period_end=True) if at == "period_end" else player.call(f"DELETE {path}")
    )


@_act
async def undo_cancel(player: Player) -> None:
    """Keep a subscription that was to end with its period."""
    await player.call(f"POST /v1/subscriptions/{player.need('subscription')}", cancel_at_period_end=False)


@_act
async def pause_collection(player: Player, *, behavior: str = "void") -> None:
    """Collect nothing for a while; the subscription goes on."""
    path = f"POST /v1/subscriptions/{player.need('subscription')}"
    await player.call(path, pause_collection={"behavior": behavior})


@_act
async def resume_collection(player: Player) -> None:
    """Collect again."""
    await player.call(f"POST /v1/subscriptions/{player.need('subscription')}", pause_collection="")


@_act
async def resume(player: Player) -> None:
    """Go on with a subscription that was paused at the end of its trial."""
    await player.call(f"POST /v1/subscriptions/{player.need('subscription')}/resume", billing_cycle_anchor="now")


@_act
async def change(player: Player, *, quantity: int = 0, price: int = 0, prorate: str = "create_prorations") -> None:
    """Change the quantity, or take the ``price``-th of the prices that the target knows."""
    subscription = player.need("subscription")
    item = (await player.call(f"GET /v1/subscriptions/{subscription}"))["items"]["data"][0]
    wanted = {"id": item["id"]} | ({"quantity": quantity} if quantity else {})
    wanted |= {"price": await _price(player, price - 1)} if price else {}
    await player.call(f"POST /v1/subscriptions/{subscription}", items=[wanted], proration_behavior=prorate)


@_act
async def refund(player: Player, *, amount: int = 0) -> None:
    """Pay an amount of the last charge back, or all that is left of it."""
    charges = await player.call("GET /v1/charges", customer=player.need("customer"), limit=1)
    given = {"charge": charges["data"][0]["id"]} | ({"amount": amount} if amount else {})
    player.keep("refund", (await player.call("POST /v1/refunds", **given))["id"])


@_act
async def answer_dispute(player: Player, *, evidence: str) -> None:
    """Answer the dispute of the last charge, so that it is won (``winning_evidence``) or lost (``losing_evidence``)."""
    charges = await player.call("GET /v1/charges", customer=player.need("customer"), limit=1)
    disputes = await player.call("GET /v1/disputes", charge=charges["data"][0]["id"])
    if not disputes["data"]:
        raise InconclusiveError(Reason.PREPARATION_FAILED, "the last charge has no dispute")
    given = {"uncategorized_text": evidence}
    await player.call(f"POST /v1/disputes/{disputes['data'][0]['id']}", evidence=given, submit=True)


@_act
async def open_page(player: Player, *, mode: str = "subscription") -> None:
    """Open a Checkout page for the customer."""
    once = {"price_data": {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Payproof"}}, "quantity": 1}
    item = once if mode == "payment" else {"price": await _price(player, 0), "quantity": 1}
    reference = {"client_reference_id": player.subject.reference} if player.subject.reference else {}
    session = await player.call(
        "POST /v1/checkout/sessions",
        customer=player.need("customer"),
        mode=mode,
        line_items=[item],
        success_url=_PAGE_URL,
        metadata=dict(player.subject.metadata),
        **reference,
    )
    player.keep("checkout.session", session["id"])


@_act
async def pay_page(player: Player, *, card: str = "pm_card_visa", later: bool = False) -> None:
    """Pay on the page; with ``later`` the money is still on its way."""
    session = player.need("checkout.session")
    player.account.visit_page(session, card, "later" if later else "pay")
    bought = (await player.call(f"GET /v1/checkout/sessions/{session}"))["subscription"]
    if bought:
        player.keep("subscription", bought)


@_act
async def settle_page(player: Player, *, succeeded: bool = True) -> None:
    """Let the money of a payment on the page arrive, or not."""
    player.account.visit_page(player.need("checkout.session"), "", "succeed" if succeeded else "fail")
