"""A webhook on Flask with stripe-python: the handler of Stripe's quickstart, with a database and a log file.

FAULTS names faults to seed, apart by commas; truths.toml says what each must be told as.
"""

import json
import logging
import os
import sqlite3

import stripe
from flask import Flask, jsonify, request

FAULTS = set(os.environ.get("FAULTS", "").split(","))
endpoint_secret = os.environ["STRIPE_WEBHOOK_SECRET"]

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(logging.FileHandler("app.log"))
log.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s"))


HANDLED = {
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.paid",
    "charge.succeeded",
}
# What comes of a body that is no event: keys that are not there, values of other types, text that is none.
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
MALFORMED += (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
TABLES = """
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS subscriptions (id TEXT PRIMARY KEY, customer TEXT, status TEXT, changed INTEGER);
CREATE TABLE IF NOT EXISTS accounts (customer TEXT PRIMARY KEY, paid INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS charges (id TEXT PRIMARY KEY, customer TEXT, amount INTEGER, card TEXT);
"""


def database():
    """Open the database."""
    return sqlite3.connect("shop.db", timeout=10, isolation_level=None)


with database() as opened:
    opened.executescript(TABLES)


def apply(connection, event):
    """Apply an event to the database."""
    thing = event["data"]["object"]
    if event["type"].startswith("customer.subscription."):
        connection.execute(
            "INSERT INTO subscriptions VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
            "SET status = excluded.status, changed = excluded.changed WHERE excluded.changed >= changed",
            (thing["id"], thing["customer"], thing["status"], event["created"]),
        )
    elif event["type"] == "invoice.paid":
        connection.execute(
            "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (customer) DO UPDATE SET paid = paid + excluded.paid",
            (thing["customer"], thing["amount_paid"]),
        )
    else:
        card = json.dumps(thing["payment_method_details"]) if "keeps_card" in FAULTS else None
        connection.execute(
            "INSERT OR REPLACE INTO charges VALUES (?, ?, ?, ?)",
            (thing["id"], thing["customer"], thing["amount"], card),
        )
        if "logs_email" in FAULTS:
            log.info("charge of %s", thing["billing_details"]["email"])


def take(event):
    """Apply an event once, where it is one that the shop handles; return what became of it."""
    if event["type"] not in HANDLED:
        return "ignored"
    connection = database()
    try:
        connection.execute("BEGIN IMMEDIATE")
        new = connection.execute("INSERT OR IGNORE INTO events VALUES (?)", (event["id"],)).rowcount
        if new or "applies_twice" in FAULTS:
            apply(connection, event)
        connection.execute("COMMIT")
        return "applied" if new else "known"
    finally:
        connection.close()


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
