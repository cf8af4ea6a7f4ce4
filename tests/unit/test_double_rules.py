"""The double keeps the rules that hold for every call: keys, versions, errors, pages, expansion, idempotency."""

import base64

import pytest

from payproof.errors import ConfigurationError
from payproof.stripe.api import ApiAnswer, ApiRequest
from tests.double import API_KEY, NEWEST, OLDEST, Driver


@pytest.fixture
def call() -> Driver:
    """A fresh account of the newest version."""
    return Driver()


def headers(answer: ApiAnswer) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers}


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {API_KEY}", 200),
        ("Basic " + base64.b64encode(f"{API_KEY}:".encode()).decode(), 200),
        ("Bearer rk_" + "test_restricted", 200),
        ("", 401),
        ("Basic !!!", 401),
        ("Bearer sk_" + "live_" + "x" * 24, 401),
        ("Bearer pk_" + "test_publishable", 401),
        ("Bearer nonsense", 401),
    ],
)
def test_a_secret_test_key_is_asked_for(call, authorization, status):
    """A key of the test mode by Bearer or Basic is taken; none, a live one or another kind is refused."""
    answer = call.send("GET /v1/customers", {"authorization": authorization})
    assert answer.status == status


def test_a_refused_key_is_masked(call):
    """The answer shows of a key what Stripe shows."""
    key = "sk_" + "live_" + "abcdefghijkl" + "1234"
    status, error = call.refused("GET /v1/customers", {"authorization": f"Bearer {key}"})
    assert status == 401
    assert key not in error["message"]
    assert error["message"].endswith("1234")


@pytest.mark.parametrize("version", ["2024-06-20", "2025-03-31.basil", OLDEST, NEWEST])
def test_the_version_of_a_call_decides_its_shape(call, version):
    """A call may name any API version, and is answered in its shape under its name."""
    answer = call.send("GET /v1/charges", {"stripe-version": version})
    assert headers(answer)["stripe-version"] == version


def test_an_invalid_version_is_refused(call):
    """What is no API version is an error."""
    status, error = call.refused("GET /v1/charges", {"stripe-version": "tomorrow"})
    assert (status, error["type"]) == (400, "invalid_request_error")


def test_shapes_differ_by_version():
    """An invoice names its subscription itself before basil, and under its parent since."""
    call = Driver(card="pm_card_visa")
    price = call(
        "POST /v1/prices", currency="usd", unit_amount=500, product_data={"name": "P"}, recurring={"interval": "month"}
    )
    customer = call("POST /v1/customers")
    made = call("POST /v1/subscriptions", customer=customer["id"], items=[{"price": price["id"]}])
    old = call(f"GET /v1/invoices/{made['latest_invoice']}", {"stripe-version": OLDEST})
    new = call(f"GET /v1/invoices/{made['latest_invoice']}", {"stripe-version": NEWEST})
    assert old["subscription"] == new["parent"]["subscription_details"]["subscription"] == made["id"]
    assert old["paid"] is True
    assert old["payment_intent"].startswith("pi_")
    assert "subscription" not in new
    assert "payment_intent" not in new
    before = call(f"GET /v1/subscriptions/{made['id']}", {"stripe-version": OLDEST})
    assert before["current_period_end"] == made["items"]["data"][0]["current_period_end"]
    assert "current_period_end" not in made


@pytest.mark.parametrize(
    "name", ["GET /v1/quotes", "POST /v1/customers/cus_1/nonsense", "GET /v2/core/events", "GET /"]
)
def test_an_unknown_url_is_told_apart(call, name):
    """Stripe's own 404, and a mark for whoever judges: Stripe may know what the double does not."""
    answer = call.send(name)
    assert (answer.status, answer.unknown) == (404, True)
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL")
    assert call.send("GET /v1/customers/cus_none").unknown is False


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({"amount": "a lot", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 1000, "currency": "usd", "odd": 1}, "parameter_unknown", "odd"),
        ({"amount": 1000, "currency": ""}, "parameter_invalid_empty", "currency"),
        ({"amount": 1000, "currency": "usd", "confirm": "maybe"}, None, "confirm"),
        ({"amount": 1000, "currency": "usd", "capture_method": "later"}, None, "capture_method"),
        ({"amount": 1000, "currency": "usd", "shipping": "there"}, None, "shipping"),
        ({"amount": 1000, "currency": "usd", "shipping": {"name": "A"}}, "parameter_missing", "shipping[address]"),
        ({"amount": 1000, "currency": "usd", "payment_method_types": "card"}, None, "payment_method_types"),
        ({"amount": 1000, "currency": "usd", "description": "d" * 1001}, None, "description"),
        ({"amount": 1000, "currency": {"a": "b"}}, None, "currency"),
        ({"amount": 10, "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": 1000, "currency": "usd", "customer": "cus_none"}, "resource_missing", "customer"),
    ],
)
def test_wrong_parameters(call, params, code, param):
    """Each is refused as Stripe refuses it: with a code where Stripe has one, and with the parameter's name."""
    status, error = call.refused("POST /v1/payment_intents", **params)
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert (error.get("code"), error["param"]) == (code, param)
    assert ("doc_url" in error) == (code is not None)
    assert error["request_log_url"].startswith("https://dashboard.stripe.com/")


def test_broken_brackets_are_refused(call):
    """What is no form is an invalid request."""
    request = ApiRequest("POST", "/v1/customers", "", {"authorization": f"Bearer {API_KEY}"}, b"a[=1")
    assert call.double.answer(request).status == 400


def test_what_has_no_effect_is_told(call):
    """A parameter that the double takes without acting on it is named to whoever judges, not to the target."""
    answer = call.send("POST /v1/customers", name="A", tax={"ip_address": "203.0.113.1"})
    assert (answer.status, answer.ignored) == (200, ("tax",))
    assert call.send("POST /v1/customers", name="A").ignored == ()


def test_the_same_calls_give_the_same_ids():
    """Whatever is made up depends on the seed and the calls alone."""
    assert Driver()("POST /v1/customers", name="A")["id"] == Driver()("POST /v1/customers", name="B")["id"]


def test_secrets_are_told(call):
    """Every client secret is told where it is made, and is no guess."""
    made = call("POST /v1/payment_intents", amount=1000, currency="usd")
    assert call.secrets == [("client_secret", made["client_secret"])]
    assert made["client_secret"].startswith(f"{made['id']}_secret_")
    assert call.refused(f"GET /v1/payment_intents/{made['id']}", client_secret="guessed")[0] == 400


@pytest.mark.parametrize(("version", "card"), [("2010-01-01", None), (NEWEST, "pm_card_none")])
def test_wrong_configuration(version, card):
    """An account of no API version, or with a card that there is not, is refused at once."""
    with pytest.raises(ConfigurationError):
        Driver(api_version=version, card=card)


# Pages, expansion, deletion, metadata


def test_pages(call):
    """Lists are newest first, page by page from either end, and say whether there is more."""
    made = [call("POST /v1/customers", name=str(number))["id"] for number in range(5)][::-1]
    first = call("GET /v1/customers", limit=2)
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:2], True)
    second = call("GET /v1/customers", limit=3, starting_after=made[1])
    assert ([one["id"] for one in second["data"]], second["has_more"]) == (made[2:], False)
    back = call("GET /v1/customers", limit=1, ending_before=made[2])
    assert ([one["id"] for one in back["data"]], back["has_more"]) == ([made[1]], True)
    assert first["url"] == "/v1/customers"


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}])
def test_wrong_pages(call, params):
    """A page of no size, and one after an object that there is not, are refused."""
    assert call.refused("GET /v1/customers", **params)[0] == 400


def test_lists_are_filtered(call):
    """By their own parameters and by the time of creation."""
    call("POST /v1/customers", email="a@example.test")
    call.clock.now += 100
    call("POST /v1/customers", email="b@example.test")
    now = int(call.clock.now)
    assert len(call("GET /v1/customers", email="b@example.test")["data"]) == 1
    assert len(call("GET /v1/customers", created={"lt": now})["data"]) == 1
    assert len(call("GET /v1/customers", created={"gte": now - 100, "lte": now})["data"]) == 2
    assert len(call("GET /v1/customers", created=now)["data"]) == 1


def test_expansion(call):
    """What is named is shown whole, within lists and within what is expanded; what cannot be is an error."""
    customer = call("POST /v1/customers", name="A")["id"]
    intent = call("POST /v1/payment_intents", amount=1000, currency="usd", customer=customer, expand=["customer"])
    assert intent["customer"]["name"] == "A"
    paid = call(
        f"POST /v1/payment_intents/{intent['id']}/confirm",
        payment_method="pm_card_visa",
        expand=["latest_charge.customer"],
    )
    assert paid["latest_charge"]["customer"]["name"] == "A"
    assert call("GET /v1/payment_intents", expand=["data.customer"])["data"][0]["customer"]["name"] == "A"
    for path in ("amount", "odd", "customer.odd", "a.b.c.d.e"):
        status, error = call.refused(f"GET /v1/payment_intents/{intent['id']}", expand=[path])
        assert (status, error["param"]) == (400, "expand")


def test_expansion_of_what_is_shown_on_demand_or_anyway(call):
    """What Stripe shows only to those who ask is there, empty where there is none; what is whole anyway stays so."""
    customer = call("POST /v1/customers", name="A", expand=["sources", "tax_ids", "subscriptions", "tax"])
    assert [customer[name]["data"] for name in ("sources", "tax_ids", "subscriptions")] == [[], [], []]
    assert customer["tax"] is None
    price = call("POST /v1/prices", currency="eur", unit_amount=900, product_data={"name": "P"})
    shown = call(f"GET /v1/prices/{price['id']}", expand=["currency_options", "tiers", "product.default_price"])
    assert shown["currency_options"]["eur"]["unit_amount"] == 900
    assert shown["product"]["default_price"] is None
    coupon = call("POST /v1/coupons", percent_off=10, duration="once", expand=["applies_to"])
    assert coupon["applies_to"] is None
    intent = call(
        "POST /v1/payment_intents",
        amount=1000,
        currency="usd",
        customer=customer["id"],
        payment_method="pm_card_visa",
        confirm=True,
        expand=["latest_charge.dispute", "latest_charge.refunds", "latest_charge.outcome"],
    )
    assert intent["latest_charge"]["dispute"] is None
    assert intent["latest_charge"]["refunds"]["data"] == []
    assert intent["latest_charge"]["outcome"]["type"] == "authorized"


def test_what_belongs_to_an_object_can_be_listed(call):
    """Features of a product, of which there are none, are an empty list."""
    product = call("POST /v1/products", name="P")["id"]
    assert call(f"GET /v1/products/{product}/features")["data"] == []
    assert call("GET /v1/tax_ids")["data"] == []


def test_a_deleted_customer(call):
    """It is shown as deleted, is in no list, and can neither be changed nor used."""
    customer = call("POST /v1/customers")["id"]
    assert call(f"DELETE /v1/customers/{customer}") == {"id": customer, "object": "customer", "deleted": True}
    assert call(f"GET /v1/customers/{customer}")["deleted"] is True
    assert call("GET /v1/customers")["data"] == []
    assert call.refused(f"POST /v1/customers/{customer}", name="B")[0] == 404
    assert call.refused(f"DELETE /v1/customers/{customer}")[0] == 404
    status, error = call.refused("POST /v1/payment_intents", amount=1000, currency="usd", customer=customer)
    assert (status, error["code"], error["param"]) == (400, "resource_missing", "customer")


def test_metadata(call):
    """Keys merge, an empty value removes one, and an empty whole removes all."""
    customer = call("POST /v1/customers", metadata={"a": "1", "b": "2"})
    path = f"POST /v1/customers/{customer['id']}"
    assert call(path, metadata={"b": "", "c": "3"})["metadata"] == {"a": "1", "c": "3"}
    assert call(path, metadata="")["metadata"] == {}
    assert call(path, name="A")["name"] == "A"
    assert call(path, name="")["name"] is None


def test_an_empty_value_takes_a_value_away(call):
    """Where Stripe says so, as of a product's description; its name can be replaced and not be taken away."""
    product = call("POST /v1/products", name="P", description="D", url="https://shop.test/")
    path = f"POST /v1/products/{product['id']}"
    assert (product["description"], product["url"]) == ("D", "https://shop.test/")
    after = call(path, description="", url="")
    assert (after["description"], after["url"]) == (None, None)
    status, error = call.refused(path, name="")
    assert (status, error["code"], error["param"]) == (400, "parameter_invalid_empty", "name")


# Idempotency


def test_a_key_gives_its_first_result_again(call):
    """With a header that says so and the id of the first request; nothing is done twice."""
    first = call.send("POST /v1/customers", {"idempotency-key": "k"}, name="A")
    again = call.send("POST /v1/customers", {"idempotency-key": "k"}, name="A")
    assert again.body == first.body
    assert headers(again)["idempotent-replayed"] == "true"
    assert headers(again)["original-request"] == headers(first)["request-id"] != headers(again)["request-id"]
    assert headers(first)["idempotency-key"] == headers(again)["idempotency-key"] == "k"
    assert "idempotent-replayed" not in headers(first)
    assert len(call("GET /v1/customers")["data"]) == 1


def test_the_order_of_parameters_does_not_count(call):
    """The same parameters in another order are the same call."""
    call.send("POST /v1/customers", {"idempotency-key": "k"}, name="A", email="a@example.test")
    again = call.send("POST /v1/customers", {"idempotency-key": "k"}, email="a@example.test", name="A")
    assert headers(again)["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("name", "params", "word"),
    [("POST /v1/customers", {"name": "B"}, "parameters"), ("POST /v1/products", {"name": "A"}, "endpoint")],
)
def test_a_key_for_another_call_is_refused(call, name, params, word):
    """Other parameters or another endpoint under a used key are an idempotency error, and change nothing."""
    call("POST /v1/customers", {"idempotency-key": "k"}, name="A")
    status, error = call.refused(name, {"idempotency-key": "k"}, **params)
    assert (status, error["type"]) == (400, "idempotency_error")
    assert word in error["message"]
    assert len(call("GET /v1/customers")["data"]) == 1


def test_a_key_is_kept_for_24_hours(call):
    """Until then its result comes again; from then on it is a new key."""
    first = call("POST /v1/customers", {"idempotency-key": "k"}, name="A")
    call.clock.now += 24 * 3600 - 1
    assert call("POST /v1/customers", {"idempotency-key": "k"}, name="A")["id"] == first["id"]
    call.clock.now += 1
    assert call("POST /v1/customers", {"idempotency-key": "k"}, name="B")["id"] != first["id"]


def test_a_key_in_use_is_a_conflict(call):
    """While the first call is worked on, another with its key is a 409, after which the key can still be used."""
    request = call.request("POST", "/v1/customers", {"name": "A"}, {"idempotency-key": "k"})
    started = call.double.begin(request)
    status, error = call.refused("POST /v1/customers", {"idempotency-key": "k"}, name="A")
    assert (status, error["type"], error["code"]) == (409, "idempotency_error", "idempotency_key_in_use")
    first = call.double.finish(started)
    assert call("POST /v1/customers", {"idempotency-key": "k"}, name="A") == first.json()


def test_a_decline_is_kept(call):
    """What failed once it had begun fails again under its key, without another attempt on the card."""
    params = {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa_chargeDeclined"}
    first = call.send("POST /v1/payment_intents", {"idempotency-key": "k"}, **params)
    again = call.send("POST /v1/payment_intents", {"idempotency-key": "k"}, **params)
    assert (first.status, again.status, again.body) == (402, 402, first.body)
    assert headers(again)["idempotent-replayed"] == "true"
    assert len(call("GET /v1/charges")["data"]) == 1


def test_a_refusal_before_the_beginning_is_not_kept(call):
    """After a wrong parameter the key is free for the right one."""
    call.refused("POST /v1/payment_intents", {"idempotency-key": "k"}, amount="x", currency="usd")
    call("POST /v1/payment_intents", {"idempotency-key": "k"}, amount=1000, currency="usd")


def test_a_server_error_is_kept(call):
    """A 500 in which execution ended is the result of its key, and nothing was done."""
    request = call.request("POST", "/v1/customers", {"name": "A"}, {"idempotency-key": "k"})
    failed = ApiAnswer(500, (), b'{"error": {"type": "api_error"}}')
    assert call.double.finish(call.double.begin(request), failed).status == 500
    again = call.send("POST /v1/customers", {"idempotency-key": "k"}, name="A")
    assert (again.status, headers(again)["idempotent-replayed"]) == (500, "true")
    assert call("GET /v1/customers")["data"] == []


def test_keys_count_for_post_alone(call):
    """GET and DELETE are idempotent by themselves, and take no notice of a key."""
    customer = call("POST /v1/customers", {"idempotency-key": "k"})["id"]
    assert call(f"GET /v1/customers/{customer}", {"idempotency-key": "k"})["id"] == customer
    assert call(f"DELETE /v1/customers/{customer}", {"idempotency-key": "k"})["deleted"] is True
    assert call.refused("POST /v1/customers", {"idempotency-key": "k" * 256})[0] == 400
