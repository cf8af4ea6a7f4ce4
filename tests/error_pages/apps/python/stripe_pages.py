"""What services answer that pass on the errors of the Stripe SDK, in front of a Stripe that answers as the real one."""

import json
import os
from importlib.metadata import version

import stripe
from flask import Flask, Response, jsonify, request
from serving import announce, page, waitress

stripe_api = Flask("stripe")
ID = "req_" + "a1B2c3D4e5F6g7"
LOGS = f"https://dashboard.stripe.com/test/logs/{ID}?t=1700000000"
DECLINED = {
    "charge": "ch_" + "1" * 24,
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "doc_url": "https://stripe.com/docs/error-codes/card-declined",
    "message": "Your card has insufficient funds.",
    "advice_code": "try_again_later",
    "network_decline_code": "51",
    "payment_intent": {
        "id": "pi_" + "1" * 24,
        "object": "payment_intent",
        "amount": 2000,
        "status": "requires_payment_method",
    },
    "payment_method": {"id": "pm_" + "1" * 24, "object": "payment_method", "type": "card"},
    "request_log_url": LOGS,
    "type": "card_error",
}
MISSING = {
    "code": "resource_missing",
    "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
    "message": "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used to make "
    "this request.",
    "param": "id",
    "request_log_url": LOGS,
    "type": "invalid_request_error",
}
REUSED = {
    "message": "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
    "using a key other than 'order-1' if you meant to execute a different request.",
    "type": "idempotency_error",
}
UNKNOWN_KEY = {"message": "Invalid API Key provided: sk_test_********************0000", "type": "invalid_request_error"}
ANSWERS = {
    "/v1/payment_intents": (402, DECLINED),
    "/v1/customers/cus_1": (404, MISSING),
    "/v1/refunds": (400, REUSED),
    "/v1/balance": (401, UNKNOWN_KEY),
}


@stripe_api.route("/<path:path>", methods=["GET", "POST"])
def answer(path):
    status, error = ANSWERS[f"/{path}"]
    return Response(json.dumps({"error": error}), status, {"Request-Id": ID, "Content-Type": "application/json"})


service = Flask("billing")
CALLS = {
    "pay": lambda client: client.v1.payment_intents.create({"amount": 2000, "currency": "usd"}),
    "customer": lambda client: client.v1.customers.retrieve("cus_1"),
    "refund": lambda client: client.v1.refunds.create({"charge": "ch_1"}),
    "balance": lambda client: client.v1.balance.retrieve(),
}
TELLS = {
    "text": lambda error: jsonify(error=str(error)),
    "object": lambda error: jsonify(error.json_body),
    "name": lambda error: jsonify(error=f"{type(error).__module__}.{type(error).__name__}"),
    "code": lambda error: jsonify(error="payment failed", decline_code=error.error.decline_code),
    "nothing": lambda error: jsonify(
        error={"code": "payment_failed", "message": "The payment did not go through.", "reference": "8f14e45f"}
    ),
}


@service.post("/<call>/<tell>")
def act(call, tell):
    client = stripe.StripeClient(
        "sk_" + "test_x", base_addresses={"api": f"http://127.0.0.1:{port}"}, max_network_retries=0
    )
    try:
        CALLS[call](client)
    except stripe.StripeError as error:
        return TELLS[tell](error), 402


@service.post("/webhooks/stripe")
def hook():
    try:
        stripe.Webhook.construct_event(request.data, request.headers.get("Stripe-Signature", ""), "whsec_" + "x" * 32)
    except stripe.SignatureVerificationError as error:
        return f"Webhook Error: {error}", 400


port = waitress(stripe_api)
os.environ.pop("HTTP_PROXY", None)
billing = waitress(service)
announce(
    f"stripe {version('stripe')}",
    stripe_declined_as_text=page(billing, "/pay/text"),
    stripe_declined_as_object=page(billing, "/pay/object"),
    stripe_declined_as_name=page(billing, "/pay/name"),
    stripe_declined_as_code=page(billing, "/pay/code"),
    stripe_declined_generic=page(billing, "/pay/nothing"),
    stripe_missing_as_text=page(billing, "/customer/text"),
    stripe_missing_as_object=page(billing, "/customer/object"),
    stripe_idempotency_as_text=page(billing, "/refund/text"),
    stripe_key_as_text=page(billing, "/balance/text"),
    stripe_webhook_no_match=page(billing, Stripe_Signature="t=1,v1=0"),
    stripe_webhook_no_header=page(billing, Stripe_Signature="x"),
)
