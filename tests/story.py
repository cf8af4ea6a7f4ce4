"""One merchant's day at Stripe: every operation of the double at least once, in both shapes of the API."""

from payproof.adapters.data import data_folder
from payproof.stripe.events import EventFactory
from tests.double import CANARIES, NEWEST, Driver

__all__ = ["tell"]


def tell(call: Driver) -> None:  # noqa: PLR0915 (one story, from its beginning to its end)
    """Play it; every call in it succeeds."""
    basil = call.api_version == NEWEST
    hooks = call.double.hooks
    product = call(
        "POST /v1/products",
        name="Team",
        metadata={"a": "b"},
        default_price_data={"currency": "usd", "unit_amount": 700},
    )
    call("POST /v1/products/" + product["id"], description="For teams", active=True)
    call("GET /v1/products/" + product["id"], expand=["default_price"])
    call("DELETE /v1/products/" + call("POST /v1/products", name="Gone")["id"])
    call("GET /v1/products", limit=3, active=True)
    small = call(
        "POST /v1/prices", product=product["id"], currency="usd", unit_amount=1000, recurring={"interval": "month"}
    )
    large = call(
        "POST /v1/prices",
        product_data={"name": "Large"},
        currency="usd",
        unit_amount=5000,
        recurring={"interval": "month"},
        lookup_key="large",
    )
    yearly = call(
        "POST /v1/prices", product=product["id"], currency="usd", unit_amount=9000, recurring={"interval": "year"}
    )
    once = call("POST /v1/prices", product=product["id"], currency="usd", unit_amount=300)
    call("POST /v1/prices/" + small["id"], nickname="Small", metadata={"k": "v"})
    call("GET /v1/prices/" + small["id"], expand=["product"])
    call("GET /v1/prices", product=product["id"], active=True, limit=100)

    customer = call(
        "POST /v1/customers",
        email="a@example.test",
        name="A",
        metadata={"tenant": "1"},
        address={"line1": "1 Street", "city": "X", "country": "US"},
    )
    c = customer["id"]
    method = call("POST /v1/payment_methods", type="card", card={"token": "tok_visa"}, billing_details={"name": "N"})
    call(f"POST /v1/payment_methods/{method['id']}/attach", customer=c)
    call("POST /v1/payment_methods/" + method["id"], metadata={"x": "y"})
    call("GET /v1/payment_methods/" + method["id"])
    call("GET /v1/payment_methods", customer=c, type="card")
    call("GET /v1/payment_methods/pm_card_mastercard")
    call(f"GET /v1/customers/{c}/payment_methods")
    call("POST /v1/customers/" + c, phone="+15550100", invoice_settings={"default_payment_method": method["id"]})
    call("GET /v1/customers/" + c, expand=["invoice_settings.default_payment_method"])
    call("GET /v1/customers", email="a@example.test", limit=1)

    subscription = call(
        "POST /v1/subscriptions",
        customer=c,
        items=[{"price": small["id"], "quantity": 2}],
        payment_behavior="error_if_incomplete",
        expand=["latest_invoice", "customer"],
    )
    s = subscription["id"]
    assert subscription["status"] == "active"
    call(
        "GET /v1/subscriptions/" + s,
        expand=["latest_invoice.payments" if basil else "latest_invoice.payment_intent", "default_payment_method"],
    )
    call("GET /v1/subscriptions", customer=c, status="all", expand=["data.customer"])
    item = subscription["items"]["data"][0]["id"]
    call.clock.now += 10 * 86400
    call(
        "POST /v1/subscriptions/" + s,
        items=[{"id": item, "price": large["id"]}],
        proration_behavior="create_prorations",
    )
    call("POST /v1/subscriptions/" + s, cancel_at_period_end=True)
    call(
        "POST /v1/subscriptions/" + s,
        cancel_at_period_end=False,
        metadata={"m": "1"},
        cancellation_details={"feedback": "other"} if basil else "",
    ) if basil else call("POST /v1/subscriptions/" + s, cancel_at_period_end=False)
    call("GET /v1/subscription_items", subscription=s)
    call("GET /v1/subscription_items/" + item)
    call("POST /v1/subscription_items/" + item, quantity=3, proration_behavior="always_invoice")
    added = call("POST /v1/subscription_items", subscription=s, price=small["id"], quantity=1)
    call("DELETE /v1/subscription_items/" + added["id"])
    call.clock.now += 25 * 86400
    call("GET /v1/subscriptions/" + s)
    call.clock.now += 7200
    call("GET /v1/invoices", customer=c, limit=2, expand=["data.subscription"] if not basil else [])
    call("POST /v1/subscriptions/" + s, items=[{"id": item, "price": yearly["id"]}])
    trial = call("POST /v1/subscriptions", customer=c, items=[{"price": small["id"]}], trial_period_days=7)
    assert trial["status"] == "trialing"
    incomplete = call(
        "POST /v1/subscriptions",
        customer=c,
        items=[{"price": small["id"]}],
        payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret"] if basil else ["latest_invoice.payment_intent"],
    )
    assert incomplete["status"] == "incomplete"
    call("POST /v1/invoices/" + incomplete["latest_invoice"]["id"] + "/pay")
    assert call("GET /v1/subscriptions/" + incomplete["id"])["status"] == "active"
    call("DELETE /v1/subscriptions/" + incomplete["id"])

    if basil:
        call("POST /v1/invoiceitems", customer=c, pricing={"price": once["id"]}, quantity=2)
    else:
        call("POST /v1/invoiceitems", customer=c, price=once["id"], quantity=2)
    entry = call("POST /v1/invoiceitems", customer=c, amount=150, currency="usd", description="Setup")
    call("POST /v1/invoiceitems/" + entry["id"], amount=175)
    call("GET /v1/invoiceitems/" + entry["id"])
    call("GET /v1/invoiceitems", customer=c, pending=True)
    call("DELETE /v1/invoiceitems/" + call("POST /v1/invoiceitems", customer=c, amount=1, currency="usd")["id"])
    invoice = call("POST /v1/invoices", customer=c, pending_invoice_items_behavior="include", auto_advance=False)
    i = invoice["id"]
    assert invoice["amount_due"] == 775
    call("POST /v1/invoices/" + i, description="Thanks", metadata={"o": "1"})
    call("GET /v1/invoices/" + i, expand=["customer"])
    call(f"GET /v1/invoices/{i}/lines", limit=1)
    call(f"POST /v1/invoices/{i}/finalize")
    assert call(f"POST /v1/invoices/{i}/pay", expand=["payments"] if basil else ["charge"])["status"] == "paid"
    if basil:
        paid = call("GET /v1/invoice_payments", invoice=i)
        call("GET /v1/invoice_payments/" + paid["data"][0]["id"], expand=["invoice"])
    for end in ("void", "mark_uncollectible"):
        call("POST /v1/invoiceitems", customer=c, amount=500, currency="usd")
        other = call(
            "POST /v1/invoices",
            customer=c,
            collection_method="send_invoice",
            days_until_due=5,
            pending_invoice_items_behavior="include",
        )
        call(f"POST /v1/invoices/{other['id']}/send")
        call(f"POST /v1/invoices/{other['id']}/{end}")
    call("DELETE /v1/invoices/" + call("POST /v1/invoices", customer=c)["id"])

    intent = call(
        "POST /v1/payment_intents",
        amount=2000,
        currency="usd",
        customer=c,
        payment_method_types=["card"],
        metadata={"order": "1"},
    )
    p = intent["id"]
    call("POST /v1/payment_intents/" + p, amount=2100, description="Order 1")
    call(f"POST /v1/payment_intents/{p}/confirm", payment_method="pm_card_visa", return_url="https://shop.test/back")
    call("GET /v1/payment_intents/" + p, expand=["latest_charge", "payment_method", "customer"])
    call("GET /v1/payment_intents", customer=c)
    held = call(
        "POST /v1/payment_intents",
        amount=900,
        currency="usd",
        confirm=True,
        payment_method="pm_card_visa",
        capture_method="manual",
        return_url="https://shop.test/back",
    )
    assert held["status"] == "requires_capture"
    call(f"POST /v1/payment_intents/{held['id']}/capture", amount_to_capture=800)
    asked = call(
        "POST /v1/payment_intents",
        amount=900,
        currency="usd",
        confirm=True,
        payment_method="pm_card_threeDSecure2Required",
        return_url="https://shop.test/back",
    )
    assert asked["status"] == "requires_action"
    assert hooks.authenticate(asked["id"])["status"] == "succeeded"
    gone = call("POST /v1/payment_intents", amount=900, currency="usd")
    call(f"POST /v1/payment_intents/{gone['id']}/cancel", cancellation_reason="abandoned")

    charge = call("POST /v1/charges", amount=1200, currency="usd", source="tok_visa", capture=False)
    call(f"POST /v1/charges/{charge['id']}/capture")
    call("POST /v1/charges/" + charge["id"], description="Changed")
    call("GET /v1/charges/" + charge["id"], expand=["refunds"])
    call("GET /v1/charges", payment_intent=p)
    refund = call("POST /v1/refunds", payment_intent=p, amount=100, reason="requested_by_customer")
    call("POST /v1/refunds", charge=charge["id"])
    call("POST /v1/refunds/" + refund["id"], metadata={"r": "1"})
    call("GET /v1/refunds/" + refund["id"], expand=["charge"])
    call("GET /v1/refunds", charge=charge["id"])

    disputed = call("POST /v1/charges", amount=1200, currency="usd", source="tok_createDispute")
    call("GET /v1/charges/" + disputed["id"])
    dispute = call("GET /v1/disputes", charge=disputed["id"])["data"][0]
    call("POST /v1/disputes/" + dispute["id"], evidence={"uncategorized_text": "Delivered"}, submit=True)
    call("GET /v1/disputes/" + dispute["id"], expand=["charge"])
    call(f"POST /v1/disputes/{dispute['id']}/close")
    won = hooks.dispute(call("POST /v1/charges", amount=1200, currency="usd", source="tok_visa")["id"])
    hooks.decide_dispute(won["id"], won=True)

    urls = {"success_url": "https://shop.test/done", "cancel_url": "https://shop.test/back"}
    session = call(
        "POST /v1/checkout/sessions",
        mode="subscription",
        line_items=[{"price": small["id"], "quantity": 1}],
        client_reference_id="r1",
        metadata={"t": "1"},
        **urls,
    )
    call("GET /v1/checkout/sessions/" + session["id"], expand=["line_items"])
    call(f"GET /v1/checkout/sessions/{session['id']}/line_items")
    hooks.complete_checkout(session["id"])
    call("GET /v1/checkout/sessions/" + session["id"], expand=["subscription", "customer"])
    bought = call(
        "POST /v1/checkout/sessions",
        mode="payment",
        line_items=[
            {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Hat"}}, "quantity": 2}
        ],
        customer=c,
        **urls,
    )
    hooks.complete_checkout(bought["id"], asynchronous=True)
    hooks.settle_checkout(bought["id"])
    call("GET /v1/checkout/sessions", customer=c)
    left = call("POST /v1/checkout/sessions", mode="payment", line_items=[{"price": once["id"], "quantity": 1}], **urls)
    call(f"POST /v1/checkout/sessions/{left['id']}/expire")
    call("POST /v1/billing_portal/sessions", customer=c, return_url="https://shop.test/account")

    offer(call, c)
    advance(call, small["id"])
    read(call, c, method["id"], charge["id"], trial["id"])
    call(f"POST /v1/payment_methods/{method['id']}/detach")
    events = call("GET /v1/events", type="invoice.*", limit=2)
    call("GET /v1/events/" + events["data"][0]["id"])
    call("DELETE /v1/customers/" + c)
    assert call("GET /v1/customers/" + c)["deleted"] is True


def advance(call: Driver, price: str) -> None:
    """Let a subscription's life pass at a test clock: a trial, a renewal that is not paid, and its end."""
    day = 86400
    path, at = "/v1/test_helpers/test_clocks", int(call.clock.now)
    clock = call(f"POST {path}", frozen_time=at, name="A life")["id"]
    call(f"GET {path}", limit=3)
    customer = call("POST /v1/customers", test_clock=clock)["id"]
    settings = {"end_behavior": {"missing_payment_method": "pause"}} if call.api_version == NEWEST else None
    trial = {"trial_period_days": 5} | ({"trial_settings": settings} if settings else {})
    subscription = call("POST /v1/subscriptions", customer=customer, items=[{"price": price}], **trial)["id"]
    call(f"POST {path}/{clock}/advance", frozen_time=at + 6 * day)
    method = call("POST /v1/payment_methods/pm_card_visa/attach", customer=customer)["id"]
    call("POST /v1/customers/" + customer, invoice_settings={"default_payment_method": method})
    if settings:
        call(f"POST /v1/subscriptions/{subscription}/resume", billing_cycle_anchor="now")
    call(f"POST {path}/{clock}/advance", frozen_time=at + 40 * day)
    failing = call("POST /v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)["id"]
    call("POST /v1/customers/" + customer, invoice_settings={"default_payment_method": failing})
    for days in (75, 110):
        call(f"POST {path}/{clock}/advance", frozen_time=at + days * day)
    assert call("GET /v1/subscriptions/" + subscription)["status"] == "canceled"
    call(f"GET {path}/{clock}")
    call(f"DELETE {path}/{clock}")


def offer(call: Driver, customer: str) -> None:
    """Offer plans, coupons and promotion codes."""
    basil = call.api_version == NEWEST
    plan = call("POST /v1/plans", amount=1200, currency="usd", interval="month", product={"name": "Basic"})
    call("GET /v1/plans/" + plan["id"])
    call("POST /v1/plans/" + plan["id"], nickname="Basic", metadata={"p": "1"})
    call("GET /v1/plans", product=plan["product"], active=True)
    call("DELETE /v1/plans/" + plan["id"])
    coupon = call("POST /v1/coupons", percent_off=25, duration="repeating", duration_in_months=3, name="Quarter")
    call("POST /v1/coupons/" + coupon["id"], name="A quarter", metadata={"c": "1"})
    call("GET /v1/coupons/" + coupon["id"])
    call("GET /v1/coupons", limit=2)
    promoted = {"promotion": {"type": "coupon", "coupon": coupon["id"]}} if basil else {"coupon": coupon["id"]}
    code = call("POST /v1/promotion_codes", code="WELCOME", customer=customer, **promoted)
    call("POST /v1/promotion_codes/" + code["id"], active=False)
    call("GET /v1/promotion_codes/" + code["id"])
    call("GET /v1/promotion_codes", coupon=coupon["id"], active=False)
    gone = call("POST /v1/coupons", amount_off=500, currency="usd", duration="once")
    call("DELETE /v1/coupons/" + gone["id"])


def read(call: Driver, customer: str, method: str, charge: str, subscription: str) -> None:
    """Read what events have told of, lists of what a customer has, and what is found by search."""
    account = call("GET /v1/account")["id"]
    call("GET /v1/accounts/" + account)
    call("GET /v1/balance")
    factory = EventFactory(data_folder("fixtures") / "events", seed=1)
    intent = call("POST /v1/setup_intents", customer=customer, payment_method="pm_card_visa", confirm=True)
    assert intent["status"] == "succeeded"
    call("GET /v1/setup_intents/" + intent["id"], expand=["payment_method"])
    call("GET /v1/setup_intents", customer=customer)
    left = call("POST /v1/setup_intents", description="Later")
    call("POST /v1/setup_intents/" + left["id"], payment_method="pm_card_visa", metadata={"s": "1"})
    call(f"POST /v1/setup_intents/{left['id']}/confirm")
    given_up = call("POST /v1/setup_intents", usage="off_session")
    call(f"POST /v1/setup_intents/{given_up['id']}/cancel", cancellation_reason="abandoned")
    for type_, path in {
        "account.updated": "/v1/accounts",
        "charge.succeeded": "/v1/balance_transactions",
        "credit_note.created": "/v1/credit_notes",
        "payout.paid": "/v1/payouts",
        "radar.early_fraud_warning.created": "/v1/radar/early_fraud_warnings",
        "subscription_schedule.created": "/v1/subscription_schedules",
        "customer.tax_id.created": f"/v1/customers/{customer}/tax_ids",
        "customer.source.created": f"/v1/customers/{customer}/sources",
        "plan.created": "/v1/plans",
        "customer.discount.created": "/v1/coupons",
    }.items():
        event = factory.make(
            type_,
            api_version=call.api_version,
            now=int(call.clock.now),
            canaries=CANARIES,
            key="story",
            ids={"cus": customer, "acct": "acct_1connected"},
        )
        call.double.take_in(event)
        found = call("GET " + path)["data"]
        call(f"GET {path}/{found[0]['id']}")
    external = call("GET /v1/accounts/acct_1connected/external_accounts")["data"][0]["id"]
    call("GET /v1/accounts/acct_1connected/external_accounts/" + external)
    call("GET /v1/tax_rates", active=True)
    refund = call(f"GET /v1/charges/{charge}/refunds")["data"][0]["id"]
    call(f"GET /v1/charges/{charge}/refunds/{refund}")
    call(f"GET /v1/customers/{customer}/payment_methods/{method}")
    call(f"GET /v1/customers/{customer}/subscriptions", limit=3)
    call(f"GET /v1/customers/{customer}/subscriptions/{subscription}")
    if call.api_version == NEWEST:
        call("POST /v1/invoices/create_preview", subscription=subscription)
        (mine,) = call("GET /v1/tax_ids", owner={"type": "customer", "customer": customer})["data"]
        call("GET /v1/tax_ids/" + mine["id"])
        call("GET /v1/tax_ids")
        call(f"GET /v1/products/{call('POST /v1/products', name='Plain')['id']}/features")
    else:
        call("GET /v1/invoices/upcoming", subscription=subscription)
    for name, query in {
        "charges": "amount>500 AND currency:'usd'",
        "customers": "email:'A@example.test' OR metadata['tenant']:'1'",
        "invoices": "status:'paid'",
        "payment_intents": "-status:'canceled' AND metadata[\"order\"]:null",
        "prices": "active:'true' AND type:'recurring'",
        "products": "name~'tea'",
        "subscriptions": "status:'trialing'",
    }.items():
        assert call(f"GET /v1/{name}/search", query=query, limit=2)["data"], name
