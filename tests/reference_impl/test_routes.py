import json
import socket

import pytest
import structlog
from structlog.testing import capture_logs

from payproof_reference.routes import stripe
from payproof_reference.services.events import inbox
from tests.reference_impl.callers import bearer, new_token
from tests.reference_impl.deliveries import event, new_secret, sign, signed

# Repeated here on purpose, so that a header that is lost from the service is missed.
HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
CANARY = "canary-in-the-payload"


@pytest.fixture(autouse=True)
def fresh_logging():
    """Leave the logging of other tests behind."""
    structlog.reset_defaults()


def secret_of(client):
    """Give the secret that the application trusts."""
    return client.settings.stripe_webhook_secret.get_secret_value()


def assert_generic(answer, status):
    """Assert the status, the headers of every answer, and that nothing of the request is in it."""
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert CANARY not in answer.text
    assert "server" not in answer.headers


def test_signed_event_is_accepted_and_logged(client):
    """A signed event is answered 200, stored and logged by its id, without its content."""
    body = event(id="evt_1", note=CANARY)
    with capture_logs() as lines:
        answer = client.deliver(body)
    assert_generic(answer, 200)
    assert answer.json() == {"received": True}
    assert client.rows("subscriptions", "status") == [("active",)]
    (line,) = lines
    assert line["event"] == "webhook_accepted"
    assert (line["event_id"], line["outcome"], line["origin"]) == ("evt_1", "applied", "127.0.0.1")
    assert CANARY not in str(line)


def test_large_event_is_accepted(client):
    """An event of 250 KB is within the limit."""
    assert client.deliver(event(padding="ü" * 125_000)).status_code == 200


def test_rolled_secret_is_accepted_by_the_route(client, monkeypatch):
    """The route asks for the secrets that are valid at the time of the delivery."""
    rolled = new_secret()
    monkeypatch.setattr("payproof_reference.services.events.webhooks.candidate_secrets", lambda *_: ("unused", rolled))
    body = event()
    assert client.deliver(body, signed(body, rolled)).status_code == 200


def test_every_refusal_looks_the_same(client):
    """All causes share status, body and headers; the log tells them apart, and holds nothing of the request."""
    body, secret = event(note=CANARY), secret_of(client)
    good = sign(body, secret)
    refused = {
        "missing_header": {},
        "malformed_header": {"Stripe-Signature": CANARY},
        "no_matching_signature": {"Stripe-Signature": sign(body, new_secret())},
        "timestamp_outside_tolerance": {"Stripe-Signature": sign(body, secret, 1)},
    }
    with capture_logs() as lines:
        answers = [client.deliver(body, headers) for headers in refused.values()]
        answers.append(client.deliver(body, [("Stripe-Signature", good), ("Stripe-Signature", good)]))
        answers.append(client.deliver(body, {"Stripe-Signature": good.encode() + b"\xe9"}))
    assert_generic(answers[0], 401)
    assert len({(answer.status_code, answer.content, str(answer.headers)) for answer in answers}) == 1
    assert [line["cause"] for line in lines] == [*refused, "malformed_header", "malformed_header"]
    assert {(line["event"], line["log_level"], line["result"]) for line in lines} == {
        ("webhook_rejected", "warning", "rejected")
    }
    for trace in (CANARY, secret, good):
        assert trace not in str(lines)
    assert client.rows("inbox") == []


def test_refusal_is_logged_before_it_is_answered(client, monkeypatch):
    """No log line, no answer: a refusal that cannot be recorded is not given."""

    def broken(*_args, **_values):
        raise OSError(CANARY)

    monkeypatch.setattr(stripe.log, "warning", broken)
    assert_generic(client.deliver(event(), {}), 500)


@pytest.mark.parametrize("body", [b"null", b"[]", b"\xff", b'{"a":' * 100_000])
def test_signed_nonsense_is_refused(client, body):
    """What is signed and no event is answered 400."""
    at = 1_700_000_000
    header = {"Stripe-Signature": f"t={at},v1={'0' * 64}"}
    with capture_logs() as lines, pytest.MonkeyPatch.context() as patched:
        patched.setattr("payproof_reference.services.events.webhooks.verify", lambda *_: None)
        answer = client.deliver(body, header)
    assert_generic(answer, 400)
    assert lines[0]["cause"] == "not_an_event"


THIN = {
    "id": "evt_test_1",
    "object": "v2.core.event",
    "type": "v1.billing.meter.error_report_triggered",
    "created": "2026-01-01T00:00:00.000Z",
    "livemode": False,
    "context": None,
}


@pytest.mark.parametrize("envelope", [THIN, {"object": "event"}, {"object": "v2.core.event"}])
def test_related_object_is_never_fetched(client, envelope):
    """A thin event is refused, and what any event relates to is nowhere called: its address is the sender's word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/customers/cus_1"
        related = {"id": "cus_1", "type": "customer", "url": address}
        answer = client.deliver(json.dumps(json.loads(event(related_object=related)) | envelope).encode())
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert answer.status_code == (200 if envelope == {"object": "event"} else 400)
    assert client.stripe.replay.calls == []
    assert len(client.rows("inbox")) == (answer.status_code == 200)


@pytest.mark.parametrize(
    "stated",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"),
        *("application/json+x", "application/cloudevents+json", "", "json", "application/json, text/plain"),
    ],
)
def test_other_content_types_are_refused(client, stated):
    """What its sender does not call JSON is refused before it is read, signed or not: forms come from any page."""
    body = event(note=CANARY)
    for headers in (signed(body, secret_of(client)), {}):
        with capture_logs() as lines:
            answer = client.deliver(body, headers | {"Content-Type": stated})
        assert_generic(answer, 415)
        assert [line["cause"] for line in lines] == ["not_json"]
    assert client.rows("inbox") == []


@pytest.mark.parametrize("stated", ["application/json", "Application/JSON ; charset=UTF-8", None])
def test_json_is_accepted_however_it_is_called(client, stated):
    """Parameters and case do not matter, and who says nothing is judged by the signature."""
    body = event()
    headers = signed(body, secret_of(client)) | {"Content-Type": stated}
    answer = client.deliver(body, {name: value for name, value in headers.items() if value is not None})
    assert answer.status_code == 200


@pytest.mark.parametrize("announced", [True, False])
def test_oversized_body_is_refused(client, announced):
    """The limit holds for an announced length and for a stream of chunks alike."""

    async def chunks():
        for _ in range(40):
            yield b"x" * 65_536

    body = b"x" * (client.settings.max_body_bytes + 1) if announced else chunks()
    with capture_logs() as lines:
        answer = client.request("POST", "/webhooks/stripe", content=body)
    assert_generic(answer, 413)
    assert [line["cause"] for line in lines] == ["body_too_large"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client, method):
    """The webhook takes POST only, and says so."""
    answer = client.request(method, "/webhooks/stripe")
    assert_generic(answer, 405)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/webhooks/stripe/", "/WEBHOOKS/STRIPE", "//webhooks/stripe", "/webhooks//stripe", "/test"),
        *("/webhooks/stripe/test", "/x/%2e%2e/webhooks/stripe", "/docs", "/redoc", "/openapi.json", "/metrics"),
    ],
)
def test_nothing_else_is_served(client, owner, path):
    """No other spelling of the path reaches the webhook, and there is no page beside it, for strangers or others."""
    token = bearer(new_token(owner, client.settings))
    with capture_logs():
        for sent, status in ((token, 404), ({}, 404 if path == "/openapi.json" else 401)):
            answer = client.request("POST", path, content=event(), headers=sent | {"Content-Type": "application/json"})
            assert_generic(answer, status)
            assert path not in answer.text or path == "/"


def test_unhandled_exception_is_kept_inside(client, monkeypatch):
    """A defect is answered with a reference, which finds a line that names type and place and not the text."""
    monkeypatch.setattr(inbox, "take_delivery", lambda *_: {}[CANARY])
    with capture_logs() as lines:
        answer = client.deliver(event())
    assert_generic(answer, 500)
    (line,) = lines
    assert (line["event"], line["reference"]) == ("unhandled_exception", answer.json()["error"]["reference"])


def test_failing_database_is_answered_503_and_the_event_applied_later(client, owner):
    """While another writer holds the database nothing is acknowledged; the next delivery is applied."""
    body = event()
    with owner.begin() as blocker:
        if owner.name == "postgresql":
            blocker.exec_driver_sql("LOCK TABLE inbox")
        with capture_logs() as lines:
            answer = client.deliver(body)
    assert_generic(answer, 503)
    assert client.rows("inbox") == client.rows("subscriptions") == client.rows("audit_log") == []
    expected = {"sqlite": "SQLITE_BUSY", "postgresql": "55P03"}[owner.name]
    assert (lines[0]["event"], lines[0]["database_error"]) == ("database_failed", expected)
    assert lines[0]["reference"] == answer.json()["error"]["reference"]
    assert [client.deliver(body).status_code for _ in range(2)] == [200, 200]
    assert client.rows("inbox", "outcome") == [("applied",)]
    told = ["webhook_received", "subscription_changed", "webhook_duplicate"]
    assert client.rows("audit_log", "event") == [(name,) for name in told]


def test_refusal_stands_when_it_cannot_be_recorded(client, owner):
    """A forgery is answered like any other while the audit log refuses, and the log of the service says so."""
    with owner.begin() as blocker:
        if owner.name == "postgresql":
            blocker.exec_driver_sql("LOCK TABLE audit_log")
        with capture_logs() as lines:
            answer = client.deliver(event(), {})
    assert_generic(answer, 401)
    assert [(line["event"], line["log_level"]) for line in lines] == [
        ("audit_failed", "error"),
        ("webhook_rejected", "warning"),
    ]


def test_refusal_is_recorded_without_what_was_sent(client):
    """Every refusal leaves an audit record of its cause and origin, and of nothing that a forger chose."""
    forged = event(id="evt_" + "forged")
    with capture_logs():
        client.deliver(forged, {})
        client.deliver(forged, {"Stripe-Signature": CANARY})
    columns = "event, actor, result, reason, origin, object_id"
    assert client.rows("audit_log", columns) == [
        ("webhook_rejected", "anonymous", "refused", cause, "127.0.0.1", None)
        for cause in ("missing_header", "malformed_header")
    ]


def test_health_follows_the_database(client, owner):
    """The service is healthy while its tables answer."""
    assert client.request("GET", "/health").json() == {"status": "ok"}
    with owner.begin() as connection:
        connection.exec_driver_sql("DROP TABLE inbox")
    with capture_logs():
        answer = client.request("GET", "/health")
    assert_generic(answer, 503)
    assert "inbox" not in answer.text


def test_openapi_is_served_on_request_and_declares_its_answers(settings, engine, client):
    """With the setting the document is there, and names every answer of the webhook."""
    told = type(client)(settings.model_copy(update={"openapi": True}), engine, client.stripe)
    document = told.request("GET", "/openapi.json").json()
    assert set(document["paths"]["/webhooks/stripe"]["post"]["responses"]) == {"200", "400", "401", "413", "415", "503"}
    assert json.dumps(document).count("HTTPValidationError") == 0
