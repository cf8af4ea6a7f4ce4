"""What billing services read at Stripe: the account, plans and coupons, previews, lists of a customer's, search."""

import pytest
import stripe

from payproof.canary import Ledger
from payproof.domain.operation import UpstreamSpec
from payproof.session.upstream import open_upstream
from tests.double import API_KEY, NEWEST, OLDEST, Driver
from tests.unit.test_delivered import make


@pytest.fixture
def call() -> Driver:
    """A fresh account of the newest version, whose customers have a card."""
    return Driver(card="pm_card_visa")


def subscribe(call: Driver, **more):
    """Return a customer and a subscription of hers."""
    described = {"currency": "usd", "unit_amount": 1500, "product_data": {"name": "Team"}}
    price = call("POST /v1/prices", recurring={"interval": "month"}, **described)
    customer = call("POST /v1/customers", name="Ada", email="ada@example.test")
    items = [{"price": price["id"], "quantity": 2}]
    made = call("POST /v1/subscriptions", customer=customer["id"], items=items, **more)
    return customer["id"], made


def test_the_account_itself(call):
    """It is the same by its id and without, and says that it takes charges."""
    account = call("GET /v1/account")
    assert call(f"GET /v1/accounts/{account['id']}") == account
    assert account["charges_enabled"] is True
    assert account["email"] is None
    assert call.refused("GET /v1/accounts/acct_other")[0] == 404


def test_money_that_moves_names_its_balance_transaction(call):
    """A charge, a part of it that is captured later, and a refund each name one that can be read, and be expanded."""
    card = {"payment_method": "pm_card_visa", "payment_method_types": ["card"], "confirm": True, "currency": "usd"}
    paid = call("POST /v1/payment_intents", amount=900, **card)
    refund = call("POST /v1/refunds", payment_intent=paid["id"], amount=200)
    held = call("POST /v1/payment_intents", amount=800, capture_method="manual", **card)
    assert call("GET /v1/charges/" + held["latest_charge"])["balance_transaction"] is None
    call(f"POST /v1/payment_intents/{held['id']}/capture", amount_to_capture=300)
    moved = [call(f"GET /v1/charges/{one['latest_charge']}", expand=["balance_transaction"]) for one in (paid, held)]
    moved.append(call("GET /v1/refunds/" + refund["id"], expand=["balance_transaction"]))
    assert [one["balance_transaction"]["net"] for one in moved] == [900, 300, -200]
    for one in moved:
        booked = one["balance_transaction"]
        assert booked["source"] == one["id"]
        assert call("GET /v1/balance_transactions/" + booked["id"]) == booked


def test_the_discounts_of_what_a_checkout_sells_are_shown_to_who_asks(call):
    """The items of a checkout show their discounts by `expand`; there are none."""
    item = {"price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Team"}}, "quantity": 1}
    made = call("POST /v1/checkout/sessions", mode="payment", line_items=[item], success_url="https://shop.test/")
    shown = call("GET /v1/checkout/sessions/" + made["id"], expand=["line_items", "line_items.data.discounts"])
    assert [one["discounts"] for one in shown["line_items"]["data"]] == [[]]


def test_a_recurring_price_is_a_plan(call):
    """Each recurring price is read as a plan of the same id; a plan is made as a price, and goes with it."""
    _, subscription = subscribe(call)
    price = subscription["items"]["data"][0]["price"]["id"]
    assert call(f"GET /v1/plans/{price}")["amount"] == 1500
    plan = call("POST /v1/plans", id="gold", amount=900, currency="usd", interval="year", product={"name": "Gold"})
    assert call("GET /v1/prices/gold")["recurring"]["interval"] == "year"
    assert [one["id"] for one in call("GET /v1/plans")["data"]] == ["gold", price]
    call("DELETE /v1/plans/gold")
    assert call.refused("GET /v1/plans/gold")[0] == call.refused("GET /v1/prices/gold")[0] == 404
    once = call("POST /v1/prices", currency="usd", unit_amount=5, product=plan["product"])
    assert call.refused(f"GET /v1/plans/{once['id']}")[0] == 404
    assert {"plan.created", "plan.deleted"} <= set(call.events())


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"duration": "once"}, "either"),
        ({"percent_off": 5, "amount_off": 5, "currency": "usd"}, "either"),
        ({"amount_off": 5}, "currency"),
        ({"id": "known", "percent_off": 5}, "already exists"),
    ],
)
def test_wrong_coupons(call, params, word):
    """A coupon is of a percentage or of an amount in a currency, and its id is new."""
    call("POST /v1/coupons", id="known", percent_off=10, duration="forever")
    assert word in call.refused("POST /v1/coupons", **params)[1]["message"]


def test_promotion_codes_are_found_by_their_code(call):
    """A code that a payer types in leads to its coupon, in each shape."""
    call("POST /v1/coupons", id="quarter", percent_off=25, duration="once")
    call("POST /v1/promotion_codes", promotion={"type": "coupon", "coupon": "quarter"}, code="HELLO")
    call("POST /v1/promotion_codes", promotion={"type": "coupon", "coupon": "quarter"}, active=False)
    (found,) = call("GET /v1/promotion_codes", code="HELLO", active=True, expand=["data.promotion.coupon"])["data"]
    assert found["promotion"]["coupon"]["percent_off"] == 25
    (older,) = call("GET /v1/promotion_codes", {"stripe-version": OLDEST}, code="HELLO")["data"]
    assert older["coupon"]["id"] == "quarter"
    assert call.refused("POST /v1/promotion_codes", promotion={"type": "coupon"})[0] == 400


def test_a_preview_changes_nothing(call):
    """The next invoice is shown with the price it is asked for; no invoice and no event comes of it."""
    customer, subscription = subscribe(call)
    call.events()
    before = call("GET /v1/invoices")
    item = subscription["items"]["data"][0]
    preview = call("POST /v1/invoices/create_preview", customer=customer)
    assert (preview["amount_due"], preview["billing_reason"]) == (3000, "upcoming")
    assert preview["id"].startswith("upcoming_in_")
    assert preview["period_end"] == item["current_period_end"]
    more = {"items": [{"id": item["id"], "quantity": 5}]}
    assert call("POST /v1/invoices/create_preview", customer=customer, subscription_details=more)["total"] == 7500
    older = call("GET /v1/invoices/upcoming", {"stripe-version": OLDEST}, subscription=subscription["id"])
    assert (older["total"], "id" in older) == (3000, False)
    assert call("GET /v1/invoices") == before
    assert call.events() == []
    call(f"DELETE /v1/subscriptions/{subscription['id']}")
    status, error = call.refused("POST /v1/invoices/create_preview", customer=customer)
    assert (status, error["code"]) == (404, "invoice_upcoming_none")
    assert call.refused("POST /v1/invoices/create_preview")[0] == 400


def test_a_card_is_kept_for_later(call):
    """A SetupIntent attaches its card to the customer; a card that is declined is refused; an end is an end."""
    customer = call("POST /v1/customers")["id"]
    intent = call("POST /v1/setup_intents", customer=customer, payment_method="pm_card_mastercard", confirm=True)
    assert intent["status"] == "succeeded"
    assert call(f"GET /v1/payment_methods/{intent['payment_method']}")["customer"] == customer
    assert call.refused(f"POST /v1/setup_intents/{intent['id']}/cancel")[1]["code"] == "setup_intent_unexpected_state"
    assert call.refused("POST /v1/setup_intents", confirm=True)[0] == 400
    declined = {"customer": customer, "payment_method": "pm_card_visa_chargeDeclined", "confirm": True}
    assert call.refused("POST /v1/setup_intents", **declined)[0] == 402
    assert {"setup_intent.created", "setup_intent.succeeded", "payment_method.attached"} <= set(call.events())


def test_what_a_customer_has(call):
    """Lists below a customer hold what is hers, and nothing of another's."""
    ada, subscription = subscribe(call)
    eve = call("POST /v1/customers", name="Eve")["id"]
    (method,) = call(f"GET /v1/customers/{ada}/payment_methods")["data"]
    assert call(f"GET /v1/customers/{ada}/payment_methods/{method['id']}") == method
    assert call.refused(f"GET /v1/customers/{eve}/payment_methods/{method['id']}")[0] == 404
    assert [one["id"] for one in call(f"GET /v1/customers/{ada}/subscriptions")["data"]] == [subscription["id"]]
    assert call(f"GET /v1/customers/{eve}/subscriptions")["data"] == []
    assert call.refused(f"GET /v1/customers/{eve}/subscriptions/{subscription['id']}")[0] == 404
    call(f"DELETE /v1/subscriptions/{subscription['id']}")
    assert call(f"GET /v1/customers/{ada}/subscriptions")["data"] == []
    assert call(f"GET /v1/customers/{ada}/subscriptions/{subscription['id']}")["status"] == "canceled"
    source = make("customer.source.created", ids={"cus": eve})
    call.double.take_in(source)
    assert [one["id"] for one in call(f"GET /v1/customers/{eve}/sources")["data"]] == [source.object_id]
    assert call(f"GET /v1/customers/{eve}/sources", object="card")["data"] == []


def test_any_property_narrows_a_list(call):
    """A filter that is a property of the objects counts, by value, by range, or within an object."""
    _, subscription = subscribe(call)
    price = subscription["items"]["data"][0]["price"]["id"]
    call.clock.now += 100
    described = {"currency": "usd", "unit_amount": 7, "product_data": {"name": "P"}}
    made = call("POST /v1/prices", recurring={"interval": "year"}, **described)
    assert [one["id"] for one in call("GET /v1/prices", recurring={"interval": "month"})["data"]] == [price]
    assert [one["id"] for one in call("GET /v1/prices", created={"gt": int(call.clock.now) - 1})["data"]] == [
        made["id"]
    ]
    assert call("GET /v1/invoices", due_date={"gte": 1})["data"] == []
    assert len(call("GET /v1/subscriptions", collection_method="charge_automatically")["data"]) == 1
    assert call("GET /v1/subscriptions", collection_method="send_invoice")["data"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email:'ADA@example.test'", ["Ada"]),
        ('name~"d"', None),
        ("name~'ada'", ["Ada"]),
        ("metadata['tier']:'gold'", ["Eve"]),
        ("metadata['tier']:null", ["Ada"]),
        ("-metadata['tier']:null", ["Eve"]),
        ("name:'Ada' OR name:'Eve'", ["Eve", "Ada"]),
        ("name:'Ada' AND created>1900000000", []),
        ("name:'Ada' and created>=1900000000", ["Ada"]),
        ("created<=1900000000 AND -name:'Ada'", ["Eve"]),
        ("created<1900000001", ["Eve", "Ada"]),
        ("name:'O\\'Hara'", []),
        ("name:'Ada' AND name:'Eve' OR name:'Ada'", None),
        ("name:'Ada' AND", None),
        ("name", None),
        ("", None),
        ("name:Ada", None),
        ("created>'soon'", None),
        ("status:'active'", None),
        ("metadata:'gold'", None),
        ("name['x']:'y'", None),
    ],
)
def test_search(call, query, found):
    """The query language as Stripe documents it; what is no query is refused with its parameter named."""
    call("POST /v1/customers", name="Ada", email="ada@example.test")
    call("POST /v1/customers", name="Eve", metadata={"tier": "gold"})
    if found is None:
        status, error = call.refused("GET /v1/customers/search", query=query)
        assert (status, error["param"]) == (400, "query")
    else:
        answer = call("GET /v1/customers/search", query=query)
        assert [one["name"] for one in answer["data"]] == found
        assert (answer["object"], answer["has_more"], answer["next_page"]) == ("search_result", False, None)


def test_search_in_pages(call):
    """A page names the next one, with what a call asked to see expanded, in the version of the call."""
    customer, subscription = subscribe(call)
    items = [{"price": subscription["items"]["data"][0]["price"]["id"]}]
    for _ in range(2):
        call("POST /v1/subscriptions", customer=customer, items=items)
    first = call("GET /v1/subscriptions/search", query="status:'active'", limit=2, expand=["data.customer"])
    assert [one["customer"]["name"] for one in first["data"]] == ["Ada", "Ada"]
    last = call(
        "GET /v1/subscriptions/search", {"stripe-version": OLDEST}, query="status:'active'", page=first["next_page"]
    )
    assert (len(last["data"]), last["has_more"]) == (1, False)
    assert "current_period_end" in last["data"][0]
    found = call("GET /v1/invoices/search", query=f"subscription:'{subscription['id']}'")["data"]
    assert [one["id"] for one in found] == [subscription["latest_invoice"]]
    for wrong in ({"page": "x"}, {"limit": 101}):
        assert call.refused("GET /v1/subscriptions/search", query="status:'active'", **wrong)[0] == 400


def test_stripe_python_reads_what_was_delivered():
    """Stripe's own SDK fetches, lists, searches and expands what was only delivered."""
    with open_upstream(UpstreamSpec("http://127.0.0.1:0"), ledger=Ledger(), api_version=NEWEST, seed=1) as upstream:
        client = stripe.StripeClient(API_KEY, base_addresses={"api": upstream.url}, max_network_retries=0)
        event = make("customer.subscription.updated", set={"metadata.user": "7"})
        upstream.take_in(event)
        assert client.v1.events.retrieve(event.id).type == event.type
        found = client.v1.subscriptions.retrieve(
            event.object_id, {"expand": ["customer", "latest_invoice.payments.data.payment.payment_intent"]}
        )
        assert found.customer.id in event.ids
        assert found.latest_invoice.payments.data[0].payment.payment_intent.status == "succeeded"
        listed = client.v1.subscriptions.list(
            {"customer": found.customer.id, "expand": ["data.items.data.price.product"]}
        )
        assert listed.data[0]["items"].data[0].price.product.object == "product"
        assert client.v1.subscriptions.search({"query": "metadata['user']:'7'"}).data[0].id == event.object_id
        assert client.v1.accounts.retrieve_current().object == "account"
        assert [one.id for one in client.v1.events.list().auto_paging_iter()] == [event.id]
