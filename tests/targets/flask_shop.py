"""A webhook in Flask with the official stripe-python, as guides show it: `python flask_shop.py MODE`.

MODE says what it does without a webhook secret: `careful` does not start, `refusing` refuses all deliveries, `trusting`
verifies only where there is a secret, `from_file` takes the secret from a file then. It runs in an environment of its
own, and imports nothing of the tests.
"""

import json
import os
import pathlib
import sqlite3
import sys

import stripe
from flask import Flask, jsonify, request

mode = sys.argv[1]
secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "").strip()
if mode == "from_file" and not secret:
    secret = pathlib.Path("secret.txt").read_text().strip()
if mode == "careful" and not secret:
    sys.exit("STRIPE_WEBHOOK_SECRET is not set")

app = Flask("shop")


def database():
    """Open the database."""
    connection = sqlite3.connect("shop.db", timeout=5, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS paid (event TEXT PRIMARY KEY, object TEXT)")
    return connection


@app.post("/webhook")
def webhook():
    """Take a delivery."""
    if not secret and mode != "trusting":
        return jsonify(error="not configured"), 503
    try:
        if secret:
            event = stripe.Webhook.construct_event(
                request.get_data(), request.headers.get("Stripe-Signature", ""), secret
            )
        else:
            event = json.loads(request.get_data())
    except (ValueError, stripe.SignatureVerificationError):
        return jsonify(error="refused"), 400
    connection = database()
    connection.execute("INSERT OR IGNORE INTO paid VALUES (?, ?)", (event["id"], event["type"]))
    connection.close()
    return jsonify(received=True)


database().close()
app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
