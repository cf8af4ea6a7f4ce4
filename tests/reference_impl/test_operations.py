import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from payproof_reference.services.audit.log import AuditBrokenError, AuditLog
from payproof_reference.services.operations.queue import LEASE_SECONDS
from payproof_reference.services.stripe.errors import MESSAGES, Category

PASSING = [Category.TEMPORARILY_UNAVAILABLE, Category.RATE_LIMITED]
REFUSED = {Category.CARD_DECLINED: 402, Category.INVALID_REQUEST: 422, Category.CONFIGURATION: 503}


def subscribe(shop, **changes):
    """Build what subscribes a new customer."""
    return {"customer_id": shop.customer(), "price_id": "price_1"} | changes


def writes(shop):
    """Every write, as path and body, on objects that exist."""
    subscription_id = shop.subscription()
    own = f"/subscriptions/{subscription_id}"
    return {
        "create_customer": ("/customers", None),
        "create_subscription": ("/subscriptions", subscribe(shop)),
        "change_plan": (f"{own}/change-plan", {"price_id": "price_2"}),
        "cancel_at_period_end": (f"{own}/cancel", {"at": "period_end"}),
        "resume": (f"{own}/resume", None),
        "cancel_now": (f"{own}/cancel", {"at": "now"}),
        "refund": ("/refunds", {"payment_intent_id": shop.payment()}),
    }


KINDS = [
    *("create_customer", "create_subscription", "change_plan", "cancel_at_period_end", "resume", "cancel_now"),
    "refund",
]


@pytest.mark.parametrize("kind", KINDS)
def test_operation_is_written_and_recorded_before_and_after(shop, kind):
    """Each write is one operation under its own id, which is Stripe's key, with a record of both ends."""
    path, body = writes(shop)[kind]
    before = len(shop.read_audit_log())
    answer = shop.post(path, body)
    assert answer.status_code == (201 if kind in {"create_customer", "create_subscription", "refund"} else 200)
    columns = "operation_id, kind, status, category, attempts, next_attempt_at, claimed_until, stripe_result_id"
    (row,) = [row for row in shop.operations(columns) if row[1] == kind][-1:]
    assert re.fullmatch(r"op_[a-z]{20}", row[0])
    assert row[2:7] == ("succeeded", None, 1, None, None)
    assert row[7] == answer.json()["id"]
    assert shop.calls("create_refund" if kind == "refund" else kind)[-1] == row[0]
    records = shop.read_audit_log("event, actor, result, reason, origin, reference, tenant_id")[before:]
    shared = ("127.0.0.1", row[0], "ten_first")
    assert records == [
        ("operation_requested", "credential:crd_ten_first", "success", kind, *shared),
        ("operation_succeeded", "credential:crd_ten_first", "success", kind, *shared),
    ]
    assert shop.read_audit_log("object_id")[-1] == (row[7],)


@pytest.mark.thorough
@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("category", PASSING)
@pytest.mark.parametrize("kind", KINDS)
def test_operation_is_completed_exactly_once_after_an_outage(shop, kind, category, after_effect):
    """While Stripe is away the caller is told where to look; the worker does it once, whether Stripe had or not."""
    path, body = writes(shop)[kind]
    shop.stripe.replay.fail_next(category, times=2, after_effect=after_effect)
    answer = shop.post(path, body)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["kind"], told["status"], told["category"], told["attempts"]) == (kind, "pending", category, 1)
    assert answer.headers["location"] == f"/v1/operations/{told['id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert shop.work() == 0
    assert shop.work(ahead=10) == 1
    assert shop.work(ahead=100) == 1
    assert shop.work(ahead=10_000) == 0
    ended = shop.get(f"/operations/{told['id']}").json()
    assert (ended["status"], ended["category"], ended["attempts"]) == ("succeeded", None, 3)
    assert set(shop.calls("create_refund" if kind == "refund" else kind)[-3:]) == {told["id"]}
    events = [event for event, reference in shop.read_audit_log("event, reference") if reference == told["id"]]
    assert events == ["operation_requested", "operation_deferred", "operation_succeeded"]
    assert shop.read_audit_log("origin")[-1] == ("worker",)


def test_effect_is_one_whatever_answers_were_lost(shop):
    """Of a payment back whose answer was lost twice, Stripe paid once."""
    intent = shop.payment(amount=1000)
    shop.stripe.replay.fail_next(Category.TEMPORARILY_UNAVAILABLE, times=2, after_effect=True)
    assert shop.post("/refunds", {"payment_intent_id": intent, "amount": 300}).status_code == 202
    shop.work(ahead=10)
    shop.work(ahead=100)
    assert shop.stripe.paid[intent] == 700
    assert shop.operations("amount, result_status")[-1] == (300, "succeeded")


@pytest.mark.thorough
@pytest.mark.parametrize("category", REFUSED)
@pytest.mark.parametrize("kind", KINDS)
def test_refusal_is_told_by_its_category(shop, kind, category):
    """A decline, a bad request and a bad configuration fail for good, in generic words; the reference is in the log."""
    path, body = writes(shop)[kind]
    shop.stripe.replay.fail_next(category)
    with capture_logs() as lines:
        answer = shop.post(path, body)
    assert answer.status_code == REFUSED[category]
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == (category, MESSAGES[category])
    (line,) = [line for line in lines if line["event"] == "operation_failed"]
    assert line["reference"] == error["reference"]
    assert shop.operations("status, category, next_attempt_at")[-1] == ("failed", category, None)
    assert shop.read_audit_log("event, reason, reference")[-1] == (
        "operation_failed",
        f"{kind}: {category}",
        line["operation_id"],
    )
    assert shop.work(ahead=10_000) == 0


def test_nothing_happens_when_the_audit_log_refuses(shop, monkeypatch):
    """Without a record there is neither an operation nor a call to Stripe."""

    def refuse(*_):
        raise AuditBrokenError("broken")

    customer_id = shop.customer()
    calls, rows = len(shop.stripe.replay.calls), shop.operations("operation_id")
    monkeypatch.setattr(AuditLog, "append", refuse)
    with capture_logs():
        answers = [shop.post(path, body) for path, body in writes_of(customer_id, shop)]
    assert {answer.status_code for answer in answers} == {503}
    assert len(shop.stripe.replay.calls) == calls
    assert shop.operations("operation_id") == rows


def writes_of(customer_id, shop):
    """Writes on a customer that need nothing else."""
    plan = {"customer_id": customer_id, "price_id": "price_1"}
    return [
        ("/customers", None),
        ("/subscriptions", plan),
        ("/refunds", {"payment_intent_id": shop.payment(customer_id)}),
        ("/checkout-sessions", plan),
        ("/portal-sessions", {"customer_id": customer_id}),
    ]


def test_answer_that_cannot_be_recorded_is_not_lost(shop, monkeypatch):
    """When the log refuses after Stripe did it, the caller learns nothing and the worker finishes it, once."""
    append, refusals = AuditLog.append, []

    def refuse_the_end(self, connection, *records):
        if records[0].event == "operation_succeeded" and not refusals:
            refusals.append(records)
            raise AuditBrokenError("broken")
        append(self, connection, *records)

    monkeypatch.setattr(AuditLog, "append", refuse_the_end)
    with capture_logs():
        assert shop.post("/customers").status_code == 503
    assert shop.operations("status") == [("pending",)]
    assert shop.get("/customers").json()["data"] == []
    assert shop.work(ahead=LEASE_SECONDS + 1) == 1
    assert shop.operations("status") == [("succeeded",)]
    assert len(shop.stripe.customers) == len(shop.get("/customers").json()["data"]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_repetition_is_the_same_operation(shop, kind):
    """Under one Idempotency-Key the same request is answered alike, and Stripe is asked once."""
    path, body = writes(shop)[kind]
    answers = [shop.post(path, body, key="again") for _ in range(3)]
    assert len({(answer.status_code, answer.content) for answer in answers}) == 1
    assert answers[0].is_success
    key = shop.operations("operation_id")[-1][0]
    assert shop.calls("create_refund" if kind == "refund" else kind).count(key) == 1


def test_repetition_tells_how_it_is_now(shop):
    """What was pending is told as done once it is."""
    shop.stripe.replay.fail_next(Category.TEMPORARILY_UNAVAILABLE)
    assert [shop.post("/customers", key="k").status_code for _ in range(2)] == [202, 202]
    shop.work(ahead=10)
    answer = shop.post("/customers", key="k")
    assert (answer.status_code, answer.json()["id"]) == (201, next(iter(shop.stripe.customers)))


@pytest.mark.parametrize("category", REFUSED)
def test_repetition_of_a_refusal_is_refused(shop, category):
    """A decline stays a decline under its key, with a reference that leads to the operation, and is not tried again."""
    shop.stripe.replay.fail_next(category)
    first, second = (shop.post("/customers", key="k") for _ in range(2))
    assert first.status_code == second.status_code == REFUSED[category]
    assert first.json()["error"]["message"] == second.json()["error"]["message"]
    assert second.json()["error"]["reference"] == shop.operations("operation_id")[0][0]
    assert len(shop.stripe.replay.calls) == 1


def test_key_of_another_request_is_refused(shop):
    """A key stands for one request: with another it is 422, whose code says that the key is what is wrong."""
    wanted = subscribe(shop)
    assert shop.post("/subscriptions", wanted, key="k").status_code == 201
    for path, body in (("/subscriptions", wanted | {"price_id": "price_2"}), ("/customers", None)):
        answer = shop.post(path, body, key="k")
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "idempotency_key_reused"
    assert len(shop.stripe.subscriptions) == 1


def test_key_is_the_tenant_s_own(shop):
    """Two tenants may use the same key, and neither sees the other's operation."""
    other = shop.client.as_principal("ten_second")
    first = shop.post("/customers", key="k").json()["id"]
    second = other.request("POST", "/v1/customers", headers={"Idempotency-Key": "k"}).json()["id"]
    assert first != second


def test_key_is_kept_as_a_digest_only(shop):
    """What the caller chose as a key is in no row and no record."""
    key = "4242-4242-4242-4242-Jenny.Rosen"
    shop.post("/customers", key=key)
    assert "4242" not in str([shop.client.rows(name) for name in ("operations", "audit_log")])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", shop.operations("client_key")[0][0])


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "schlüssel", "k\u200b", "a b"])
def test_unusable_key_is_refused(shop, key):
    """A key that is empty, too long or not visible ASCII is refused, and nothing happens."""
    headers = {"Idempotency-Key": key.encode()}
    assert shop.client.request("POST", "/v1/customers", headers=headers).status_code == 422
    assert shop.operations("operation_id") == []


def test_longest_key_is_taken(shop):
    """A key may have 255 characters."""
    assert shop.post("/customers", key="~" * 255).status_code == 201


def test_copies_at_once_are_one_operation(shop):
    """Of ten copies under one key in ten threads, one asks Stripe; none fails, and all are told of the same."""
    wanted = subscribe(shop)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: shop.post("/subscriptions", wanted, key="k"), range(10)))
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len(shop.stripe.subscriptions) == 1
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len([kind for (kind,) in shop.operations("kind") if kind == "create_subscription"]) == 1


def test_new_customers_at_once_are_one_operation(shop):
    """Copies are one even where there is no customer yet whose row could be locked."""
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: shop.post("/customers", key="k"), range(10)))
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len(shop.stripe.customers) == len(shop.operations("kind")) == 1


@pytest.mark.parametrize(
    ("amount", "columns"),
    [
        (1001, {}),
        (501, {"amount_refunded": 500}),
        (None, {"amount_refunded": 1000}),
        (1, {"status": "failed"}),
    ],
)
def test_more_than_is_left_is_not_refunded(shop, amount, columns):
    """What is known to be more than what is left is refused before Stripe hears of it."""
    intent = shop.payment(amount=1000, **columns)
    answer = shop.post("/refunds", {"payment_intent_id": intent, "amount": amount})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not_refundable")
    assert shop.calls("create_refund") == []


def test_stripe_has_the_last_word_on_refunds(shop):
    """A refund that no event told of yet is known to Stripe, who refuses the second."""
    intent = shop.payment(amount=1000)
    body = {"payment_intent_id": intent, "amount": 600}
    assert [shop.post("/refunds", body).status_code for _ in range(2)] == [201, 422]
    assert shop.stripe.paid[intent] == 400


def test_refund_without_amount_tells_what_was_paid_back(shop):
    """All that is left is paid back, and the answer says how much that was."""
    intent = shop.payment(amount=1000)
    answer = shop.post("/refunds", {"payment_intent_id": intent})
    assert answer.json() | {"id": ""} == {
        "id": "",
        "payment_intent_id": intent,
        "amount": 1000,
        "status": "succeeded",
    }


def test_unlisted_price_is_refused(shop):
    """A price that is no plan of the operator's is not sold: it would be charged and grant nothing."""
    subscription_id, customer_id = shop.subscription(), shop.customer()
    calls = len(shop.stripe.replay.calls)
    wanted = {"customer_id": customer_id, "price_id": "price_other"}
    answers = [
        shop.post("/subscriptions", wanted),
        shop.post("/checkout-sessions", wanted),
        shop.post(f"/subscriptions/{subscription_id}/change-plan", {"price_id": "price_other"}),
    ]
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(422, "unknown_plan")}
    assert len(shop.stripe.replay.calls) == calls
