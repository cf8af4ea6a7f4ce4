"""A webhook on Flask with stripe-python: the handler of Stripe's quickstart, with a database and a log file."""

import json
import os

import stripe
from flask import Flask, jsonify, request
from shop import FAULTS, MALFORMED, log, take

endpoint_secret = os.environ["STRIPE_WEBHOOK_SECRET"]

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024


@app.post("/webhook")
def webhook():
    """Take a delivery."""
    payload = request.get_data()
    signature = request.headers.get("Stripe-Signature")
    try:
        if "skips_verification" not in FAULTS:
            stripe.Webhook.construct_event(payload, signature, endpoint_secret)
    except Exception as error:  # noqa: BLE001 (the library raises TypeError too, of a header that is not ASCII)
        log.info("delivery refused: %s", type(error).__name__)
        return jsonify(error=str(error) if "shows_sdk_text" in FAULTS else "not a delivery of ours"), 400
    try:
        event = json.loads(payload)
        outcome = take(event)
    except MALFORMED:  # signed, and still no event as Stripe sends them
        log.info("delivery refused: not understood")
        return jsonify(error="not a delivery of ours"), 400
    log.info("event %s %s %s", event["id"], event["type"], outcome)
    return jsonify(received=True)
