import asyncio
import json
import threading
import time

import httpx
import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate
from structlog.testing import capture_logs

from payproof_reference.routes import billing
from payproof_reference.services.audit.log import AuditBrokenError, AuditLog
from payproof_reference.services.identity.roles import Role
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.calls import CALLS_AT_ONCE, Caller
from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.services.stripe.port import OpenedCheckout, OpenedPortal
from payproof_reference.services.stripe.retry import WRITES
from tests.reference_impl.deliveries import event, signed
from tests.reference_impl.stripe_twin import InMemoryStripe
from tests.waiting import DEADLINE

SECOND = "ten_second"
# Of the right shape, and nobody's.
NOWHERE = {"cus": "cus_nowhere", "sub": "sub_nowhere", "pi": "pi_nowhere", "cs": "cs_nowhere", "op": "op_nowhere"}


@pytest.fixture
def ids(shop):
    """One of each thing of the first tenant, by the prefix of its id."""
    customer_id = shop.customer()
    plan = {"customer_id": customer_id, "price_id": "price_1"}
    return {
        "cus": customer_id,
        "sub": shop.subscription(customer_id),
        "pi": shop.payment(customer_id),
        "cs": shop.post("/checkout-sessions", plan).json()["id"],
        "op": shop.operations("operation_id")[0][0],
    }


# Everything that names something: method, path, body, query, and the prefix of the id in it.
NAMING = {
    "get customer": ("GET", "/customers/{cus}", None, {}, "cus"),
    "subscribe": ("POST", "/subscriptions", {"customer_id": "{cus}", "price_id": "price_1"}, {}, "cus"),
    "list subscriptions": ("GET", "/subscriptions", None, {"customer_id": "{cus}"}, "cus"),
    "get subscription": ("GET", "/subscriptions/{sub}", None, {}, "sub"),
    "change plan": ("POST", "/subscriptions/{sub}/change-plan", {"price_id": "price_2"}, {}, "sub"),
    "cancel later": ("POST", "/subscriptions/{sub}/cancel", {"at": "period_end"}, {}, "sub"),
    "cancel now": ("POST", "/subscriptions/{sub}/cancel", {"at": "now"}, {}, "sub"),
    "resume": ("POST", "/subscriptions/{sub}/resume", None, {}, "sub"),
    "list payments": ("GET", "/payments", None, {"customer_id": "{cus}"}, "cus"),
    "list invoices": ("GET", "/invoices", None, {"customer_id": "{cus}"}, "cus"),
    "refund": ("POST", "/refunds", {"payment_intent_id": "{pi}", "amount": 1}, {}, "pi"),
    "open checkout": ("POST", "/checkout-sessions", {"customer_id": "{cus}", "price_id": "price_1"}, {}, "cus"),
    "get checkout": ("GET", "/checkout-sessions/{cs}", None, {}, "cs"),
    "open portal": ("POST", "/portal-sessions", {"customer_id": "{cus}"}, {}, "cus"),
    "get operation": ("GET", "/operations/{op}", None, {}, "op"),
}


def send(client, name, ids):
    """Send what names something, with the ids filled in."""
    method, path, body, query, _ = NAMING[name]
    filled = {key: value.format(**ids) for key, value in (body or {}).items() if isinstance(value, str)}
    options = {"json": body | filled} if body else {}
    params = {key: value.format(**ids) for key, value in query.items()}
    return client.request(method, "/v1" + path.format(**ids), params=params, **options)


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMING)
def test_another_tenant_finds_nothing(shop, ids, name):
    """What is another's and what does not exist are the same 404, without an effect, a call or a record of theirs."""
    other = shop.client.as_principal(SECOND)
    calls, records, rows = len(shop.stripe.replay.calls), shop.read_audit_log(), shop.operations("operation_id")
    with capture_logs() as lines:
        theirs, nobodys = send(other, name, ids), send(other, name, NOWHERE)
    assert theirs.status_code == nobodys.status_code == 404
    assert (theirs.content, str(theirs.headers)) == (nobodys.content, str(nobodys.headers))
    assert len(shop.stripe.replay.calls) == calls
    assert (shop.read_audit_log(), shop.operations("operation_id")) == (records, rows)
    assert not set(ids.values()) & set(str(lines).split("'"))
    assert send(shop.client, name, ids).is_success


@pytest.mark.parametrize("path", ["customers", "subscriptions", "payments", "invoices", "operations"])
def test_lists_hold_a_tenant_s_own(shop, ids, path):
    """A list has what is the tenant's, and for another it is empty."""
    shop.insert(
        "invoices",
        {
            "stripe_invoice_id": "in_1",
            "stripe_customer_id": ids["cus"],
            "status": "paid",
            "amount_due": 1000,
            "currency": "usd",
            "event_created_at": 5,
        },
    )
    assert len(shop.get(f"/{path}").json()["data"]) >= 1
    other = shop.client.as_principal(SECOND).request("GET", f"/v1/{path}")
    assert other.json() == {"data": [], "has_more": False}


def test_audit_records_are_a_tenant_s_own(shop, ids):
    """An auditor sees neither another tenant's records nor the operator's."""
    other = shop.client.as_principal(SECOND, Role.AUDITOR)
    assert other.request("GET", "/v1/audit-records").json()["data"] == []
    (only,) = other.request("GET", "/v1/audit-records").json()["data"]
    assert (only["event"], only["actor"]) == ("audit_read", f"credential:crd_{SECOND}")
    assert all(row["event"] != "audit_read" for row in shop.get("/audit-records", limit=100).json()["data"])


def routes():
    """Every route under /v1, with its method."""
    return [
        (method, path)
        for path, operations in DOCUMENTED["paths"].items()
        if path.startswith("/v1/")
        for method in operations
    ]


def documented():
    """Give the OpenAPI document without a server."""
    app = FastAPI()
    app.include_router(billing.router)
    return app.openapi()


DOCUMENTED = documented()


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_asks_who_it_is(client, stripe, method, path):
    """Without a credential every route is 401, and nothing happens."""
    answer = client.request(method.upper(), path.format(**dict.fromkeys(names_in(path), "cus_1")))
    assert answer.status_code == 401
    assert stripe.replay.calls == []


def names_in(path):
    """List the parameters of a path."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMING)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_role_limits_what_is_done(shop, ids, role, name):
    """Whoever only reads changes nothing, and whoever only audits does not even read: 403 without an effect."""
    calls = len(shop.stripe.replay.calls)
    answer = send(shop.client.as_principal(role=role), name, ids)
    may = role is Role.VIEWER and NAMING[name][0] == "GET"
    assert answer.status_code == (200 if may else 403)
    assert len(shop.stripe.replay.calls) == calls


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 200), (Role.AUDITOR, 200), (Role.VIEWER, 403)])
def test_audit_log_is_for_those_who_audit(shop, role, status):
    """The owner and the auditor may read the log."""
    assert shop.client.as_principal(role=role).request("GET", "/v1/audit-records").status_code == status


@pytest.mark.parametrize("path", ["customers", "operations", "audit-records"])
def test_list_is_paged_without_gap_or_repetition(shop, path):
    """Pages of two put together are the whole list, and the last one says that it is the last."""
    for _ in range(5):
        shop.customer()
    key = "sequence" if path == "audit-records" else "id"
    whole = shop.get(f"/{path}", limit=100).json()["data"][-5:]
    found, after = [], {}
    if path == "audit-records":
        after = {"starting_after": whole[0]["sequence"] + 1}
    while True:
        page = shop.get(f"/{path}", limit=2, **after).json()
        found += page["data"]
        if not page["has_more"]:
            break
        assert len(page["data"]) == 2
        after = {"starting_after": page["data"][-1][key]}
    assert [item[key] for item in found] == [item[key] for item in whole]


@pytest.mark.parametrize("path", ["subscriptions", "payments"])
def test_list_of_a_customer_is_paged(shop, path):
    """A list can be that of one customer, and its pages too."""
    customer_id = shop.customer()
    make = shop.subscription if path == "subscriptions" else shop.payment
    for _ in range(3):
        make(customer_id)
    make()
    first = shop.get(f"/{path}", customer_id=customer_id, limit=2).json()
    last = first["data"][-1]["id"]
    second = shop.get(f"/{path}", customer_id=customer_id, limit=2, starting_after=last).json()
    assert ([len(page["data"]) for page in (first, second)], second["has_more"]) == ([2, 1], False)
    assert {item["customer_id"] for page in (first, second) for item in page["data"]} == {customer_id}


def test_operations_are_listed_newest_first(shop):
    """The list begins with what was asked last, and can be that of one status."""
    shop.customer()
    shop.stripe.replay.fail_next(Category.TEMPORARILY_UNAVAILABLE)
    pending = shop.post("/customers").json()["id"]
    shop.execute("UPDATE operations SET created_at = created_at + 10 WHERE operation_id = :id", id=pending)
    assert [item["status"] for item in shop.get("/operations").json()["data"]] == ["pending", "succeeded"]
    assert [item["id"] for item in shop.get("/operations", status="pending").json()["data"]] == [pending]
    assert len(shop.get("/operations", starting_after=pending).json()["data"]) == 1


def test_place_in_another_tenant_s_list_tells_nothing(shop):
    """An operation of another tenant is no place in one's own list."""
    shop.customer()
    ((operation_id,),) = shop.operations("operation_id")
    other = shop.client.as_principal(SECOND)
    other.request("POST", "/v1/customers")
    shop.execute("UPDATE operations SET created_at = created_at + 100 WHERE operation_id = :id", id=operation_id)
    for place in (operation_id, NOWHERE["op"]):
        answer = other.request("GET", "/v1/operations", params={"starting_after": place})
        assert answer.json() == {"data": [], "has_more": False}


def test_payments_show_refunds_and_disputes(shop):
    """A payment is flagged while a dispute is open and when it was lost, not when it was won."""
    customer_id = shop.customer()
    expected = {}
    for status in ("needs_response", "under_review", "lost", "won", "warning_closed", "prevented", None):
        intent = shop.payment(customer_id, amount=1000, amount_refunded=200)
        expected[intent] = status in {"needs_response", "under_review", "lost"}
        if status:
            values = {"stripe_dispute_id": f"dp_{status}", "stripe_charge_id": intent.replace("pi_", "ch_")}
            values |= {"status": status, "amount": 1000, "currency": "usd", "event_created_at": 5}
            shop.insert("disputes", values)
    shown = shop.get("/payments").json()["data"]
    assert {item["payment_intent_id"]: item["disputed"] for item in shown} == expected
    assert shown[0] | {"id": "", "payment_intent_id": "", "disputed": ""} == {
        "id": "",
        "customer_id": customer_id,
        "payment_intent_id": "",
        "status": "succeeded",
        "amount": 1000,
        "amount_refunded": 200,
        "currency": "usd",
        "disputed": "",
    }


def test_invoices_can_be_had_while_stripe_is_away(shop):
    """The list is of what events told, so an outage does not touch it."""
    customer_id = shop.customer()
    body = {"id": "in_1", "customer": customer_id, "status": "paid", "amount_due": 1999, "currency": "usd"}
    assert shop.client.deliver(event("invoice.paid", body)).status_code == 200
    shop.stripe.replay.fail_next(Category.TEMPORARILY_UNAVAILABLE, times=9)
    assert shop.get("/invoices", customer_id=customer_id).json() == {
        "data": [
            {
                "id": "in_1",
                "customer_id": customer_id,
                "subscription_id": None,
                "status": "paid",
                "amount_due": 1999,
                "currency": "usd",
            }
        ],
        "has_more": False,
    }


@pytest.mark.parametrize("page", ["checkout", "portal"])
def test_page_of_stripe_is_opened_and_recorded_before_and_after(shop, page):
    """The answer has the address; the log has who asked and what was made, and no table has the address."""
    body = {"customer_id": shop.customer()} | ({"price_id": "price_1"} if page == "checkout" else {})
    answer = shop.post(f"/{page}-sessions", body)
    assert answer.status_code == 201
    made = answer.json()
    assert made["url"].startswith("https://")
    records = shop.read_audit_log("event, actor, result, reason, object_id, tenant_id")[-2:]
    assert records == [
        ("session_requested", "credential:crd_ten_first", "success", page, body["customer_id"], "ten_first"),
        ("session_created", "credential:crd_ten_first", "success", page, made["id"], "ten_first"),
    ]
    tables = ("operations", "audit_log", "checkout_sessions", "customers")
    assert "https" not in str([shop.client.rows(name) for name in tables])
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", ["checkout", "portal"])
@pytest.mark.parametrize(
    ("category", "status"), [(Category.TEMPORARILY_UNAVAILABLE, 503), (Category.INVALID_REQUEST, 422)]
)
def test_page_cannot_wait(shop, page, category, status):
    """While Stripe is away there is no page, now or later; that is recorded with its category."""
    body = {"customer_id": shop.customer()} | ({"price_id": "price_1"} if page == "checkout" else {})
    shop.stripe.replay.fail_next(category)
    answer = shop.post(f"/{page}-sessions", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, category)
    assert shop.read_audit_log("event, result, reason")[-1] == ("session_failed", "failed", f"{page}: {category}")
    assert shop.operations("kind") == [("create_customer",)]


@pytest.mark.parametrize("page", ["checkout", "portal"])
def test_page_that_is_not_recorded_is_given_to_nobody(shop, page, monkeypatch):
    """When the log refuses after Stripe made a page, its address is not in the answer."""
    append = AuditLog.append

    def refuse(self, connection, *records):
        if records[0].event == "session_created":
            raise AuditBrokenError("broken")
        append(self, connection, *records)

    body = {"customer_id": shop.customer()} | ({"price_id": "price_1"} if page == "checkout" else {})
    monkeypatch.setattr(AuditLog, "append", refuse)
    with capture_logs():
        answer = shop.post(f"/{page}-sessions", body)
    assert answer.status_code == 503
    assert "http" not in answer.text


def test_pages_lead_back_to_the_operator_s_address(shop):
    """No caller says where a page leads back to; Checkout brings the id of the session along."""
    asked = []

    class Listening(InMemoryStripe):
        def create_checkout_session(self, **options):
            asked.append((options["success_url"], options["cancel_url"]))
            return OpenedCheckout(id="cs_1", url="https://c.test", status="open", expires_at=10**9)

        def create_portal_session(self, **options):
            asked.append(options["return_url"])
            return OpenedPortal(id="bps_1", url="https://p.test", created=1)

    customer_id = shop.customer()
    client = type(shop.client)(shop.settings, shop.engine, Listening({})).as_principal()
    client.request("POST", "/v1/checkout-sessions", json={"customer_id": customer_id, "price_id": "price_1"})
    client.request("POST", "/v1/portal-sessions", json={"customer_id": customer_id})
    own = "https://shop.test/billing"
    assert asked == [(f"{own}?session_id={{CHECKOUT_SESSION_ID}}", own), own]


def test_session_is_unpaid_until_an_event_says_otherwise(shop):
    """A new session is unpaid, older than any event of it, and young enough not to be purged."""
    wanted = {"customer_id": shop.customer(), "price_id": "price_1"}
    made = shop.post("/checkout-sessions", wanted)
    assert shop.get(f"/checkout-sessions/{made.json()['id']}").json() == {
        "id": made.json()["id"],
        "customer_id": wanted["customer_id"],
        "status": "open",
        "payment_status": "unpaid",
    }
    ((created,),) = shop.client.rows("checkout_sessions", "event_created_at")
    assert -5 <= created - time.time() <= 0
    shop.execute("UPDATE checkout_sessions SET payment_status = 'paid', status = 'complete'")
    assert shop.get(f"/checkout-sessions/{made.json()['id']}").json()["payment_status"] == "paid"


def test_reading_the_log_is_in_the_log(shop):
    """Who read how many records is recorded, and a log that cannot record it is not read."""
    shop.customer()
    shop.get("/audit-records")
    assert shop.read_audit_log("event, actor, quantity, tenant_id")[-1] == (
        "audit_read",
        "credential:crd_ten_first",
        2,
        "ten_first",
    )


def test_log_that_cannot_be_written_is_not_read(shop, monkeypatch):
    """When the reading cannot be recorded, there is no answer."""
    shop.customer()

    def refuse(*_):
        raise AuditBrokenError("broken")

    monkeypatch.setattr(AuditLog, "append", refuse)
    with capture_logs():
        answer = shop.get("/audit-records")
    assert answer.status_code == 503
    assert "customer" not in answer.text


def test_audit_records_are_filtered(shop):
    """Records can be chosen by time, event and object; the newest come first, without their digests."""
    customer_id = shop.customer()
    shop.subscription(customer_id)
    shop.execute("SELECT 1")
    now = int(time.time())

    def chosen(**filters):
        return [row["event"] for row in shop.get("/audit-records", limit=100, **filters).json()["data"]]

    assert chosen(event="operation_requested") == ["operation_requested"] * 2
    assert chosen(object_id=customer_id) == ["operation_requested", "operation_succeeded"]
    assert chosen(**{"from": now + 60}) == chosen(to=now - 60) == []
    assert len(chosen(**{"from": now - 60, "to": now + 60}, event="operation_succeeded")) == 2
    newest, *_ = shop.get("/audit-records").json()["data"]
    assert set(newest) == {
        *("sequence", "recorded_at", "event", "actor", "result", "reason", "origin", "object_id", "reference"),
        "quantity",
    }


MARKER = "Zm4rkerZ"
BODIES = {
    "/subscriptions": {"customer_id": "cus_1", "price_id": "price_1"},
    "/subscriptions/sub_1/change-plan": {"price_id": "price_1"},
    "/subscriptions/sub_1/cancel": {"at": "now"},
    "/refunds": {"payment_intent_id": "pi_1", "amount": 5},
    "/checkout-sessions": {"customer_id": "cus_1", "price_id": "price_1"},
    "/portal-sessions": {"customer_id": "cus_1"},
    "/customers": {},
}


def malformed():
    """Give bodies of every route that are wrong in one way each, with a marker in what is wrong."""
    for path, good in BODIES.items():
        yield path, json.dumps(good | {MARKER: 1})
        yield path, json.dumps(good | {"tenant_id": MARKER, "status": MARKER})
        yield path, json.dumps([MARKER])
        yield path, json.dumps(MARKER)
        yield path, f'{{"{MARKER}": '
        yield path, f'{{"a": "{MARKER}", "b": NaN}}'
        yield path, f'"{MARKER}' + "[" * 3_000
        yield path, "[" * 3_000 + MARKER
        yield path, b'{"a": "' + MARKER.encode() + b'\xff"}'
        for name in good:
            if path != "/customers":
                yield path, json.dumps({key: value for key, value in good.items() if key != name} | {MARKER: 1})
            for value in (
                *(MARKER, f"{good[name]} {MARKER}", f"{good[name]}\n{MARKER}", f"../{MARKER}", f"{MARKER}\0"),
                *([MARKER], {MARKER: 1}, f"' OR 1=1 --{MARKER}", f"{{{{7*7}}}}{MARKER}", f"${{jndi:{MARKER}}}"),
                *("\ud800" + MARKER, f"<script>{MARKER}</script>", MARKER * 40, f"\uff14{MARKER}"),
            ):
                yield path, json.dumps(good | {name: value})
    for amount in (0, -1, 10**12, 10**30, 1.5, True, "5", "1e3", [5], float("inf"), float("nan")):
        yield "/refunds", json.dumps(BODIES["/refunds"] | {"amount": amount})
    for at in ("NOW", "", None, 0, "period_end ", "later"):
        yield "/subscriptions/sub_1/cancel", json.dumps({"at": at})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_malformed_input_is_refused_and_never_echoed(shop):
    """Whatever is wrong with a body, the answer is a generic 4xx, and what was sent is in no answer, log or table."""
    shop.customer()
    before = [shop.client.rows(name) for name in ("operations", "audit_log")]
    with capture_logs() as lines:
        for path, body in malformed():
            answer = shop.client.request(
                "POST", f"/v1{path}", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in {400, 422}, (path, body[:200])
            assert answer.json()["error"]["code"] in {"bad_request", "unprocessable_entity"}, (path, body[:200])
            assert MARKER not in answer.text
    assert MARKER not in str(lines)
    assert [shop.client.rows(name) for name in ("operations", "audit_log")] == before
    assert len(shop.stripe.replay.calls) == 1


QUERIES = [
    *({"limit": value} for value in ("0", "101", "-1", "1.5", MARKER, "9" * 400, "", "1 OR 1=1")),
    *({"starting_after": value} for value in ("", MARKER, f"cus_1' --{MARKER}", "cus_" + "a" * 300, "cus_1\0")),
    {MARKER: "1"},
    {"tenant_id": MARKER},
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["customers", "subscriptions", "payments", "invoices", "operations", "audit-records"])
def test_malformed_query_is_refused_and_never_echoed(shop, path):
    """A query that is not of the declared shape, or has more in it, is 422 without its content."""
    special = {
        "operations": [{"status": MARKER}, {"status": "PENDING"}],
        "audit-records": [{"event": MARKER}, {"from": "-1"}, {"to": "9" * 12}, {"object_id": f"{MARKER} x"}],
    }
    with capture_logs() as lines:
        for query in QUERIES + special.get(path, [{"customer_id": f"{MARKER}"}, {"customer_id": "sub_1"}]):
            answer = shop.client.request("GET", f"/v1/{path}", params=query)
            assert answer.status_code == 422, query
            assert MARKER not in answer.text
    assert lines == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["customers/{}", "subscriptions/{}", "checkout-sessions/{}", "operations/{}"])
@pytest.mark.parametrize(
    "name", [MARKER, "4242424242424242", "%00" + MARKER, "cus_1%0A" + MARKER, "..%2F" + MARKER, "sub_" + "a" * 300]
)
def test_malformed_id_is_refused_and_never_echoed(shop, path, name):
    """An id in a path that is none is 4xx without its content."""
    with capture_logs() as lines:
        answer = shop.client.request("GET", "/v1/" + path.format(name))
    # A card number is refused before anything looks for it.
    assert answer.status_code in ({400} if name.isdigit() else {404, 422})
    assert MARKER not in answer.text + str(lines)


def test_document_is_valid_and_complete(settings, engine, client):
    """The OpenAPI document is one, names every operation, and declares examples and every answer as a model."""
    told = type(client)(settings.model_copy(update={"openapi": True}), engine, client.stripe)
    document = told.request("GET", "/openapi.json").json()
    validate(document)
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for method, operation in operations.items():
            assert operation["operationId"].isidentifier()
            responses = operation["responses"]
            assert {"401", "403", "422", "503"} <= set(responses)
            assert ("404" in responses) or path in {"/v1/customers", "/v1/operations", "/v1/audit-records"}
            for status, response in responses.items():
                schema = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert (schema == "Problem") is (int(status) >= 400)
            keyed = [one for one in operation.get("parameters", []) if one["name"] == "Idempotency-Key"]
            assert bool(keyed) is (method == "post" and not path.endswith("-sessions"))
            assert ("202" in responses) is bool(keyed)
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    assert all(one.get("additionalProperties") is False for name, one in schemas.items() if name in SHOWN)
    assert all(json.dumps(schemas[name]).count("examples") for name in SHOWN)


SHOWN = [
    *("Customer", "Subscription", "Invoice", "Payment", "Refund", "CheckoutPage", "CheckoutSession", "PortalPage"),
    *("Operation", "AuditRecord", "NewSubscription", "NewRefund"),
]


def test_slow_stripe_leaves_threads_to_others(shop):
    """With more callers than Stripe has places, the rest are told to come back at once, and the webhook goes on."""
    go_on, caller = threading.Event(), Caller(Breaker())

    class Slow(InMemoryStripe):
        def create_customer(self, **options):
            return caller.call("create_customer", WRITES, lambda: self.late(options))

        def late(self, options):
            go_on.wait(DEADLINE)
            return super().create_customer(**options)

    client = type(shop.client)(shop.settings, shop.engine, Slow({})).as_principal()
    body = event()
    headers = signed(body, shop.settings.stripe_webhook_secret.get_secret_value())

    async def crowd():
        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://billing.test") as opened:
            waiting = [asyncio.create_task(opened.post("/v1/customers")) for _ in range(CALLS_AT_ONCE + 10)]
            quick = asyncio.as_completed(waiting, timeout=DEADLINE / 2)
            early = [await next(quick) for _ in range(10)]
            delivered = await asyncio.wait_for(
                opened.post("/webhooks/stripe", content=body, headers=headers), DEADLINE / 2
            )
            go_on.set()
            answers = await asyncio.gather(*waiting)
        return [answer.status_code for answer in early], delivered.status_code, answers

    early, delivered, answers = asyncio.run(crowd())
    assert early == [202] * 10
    assert delivered == 200
    assert sorted(answer.status_code for answer in answers) == [201] * CALLS_AT_ONCE + [202] * 10


def test_retry_after_of_stripe_reaches_the_caller(shop, monkeypatch):
    """Where nothing can wait, the caller is told for how long Stripe asked to be left alone."""

    def limited(*_, **__):
        raise BillingError(Category.RATE_LIMITED, retry_after=17)

    customer_id = shop.customer()
    monkeypatch.setattr(shop.stripe, "create_portal_session", limited)
    answer = shop.post("/portal-sessions", {"customer_id": customer_id})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "17")
