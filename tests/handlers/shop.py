"""What the handlers on Flask and FastAPI do with an event: SQLite and a log file, as Python's documents show them.

FAULTS names faults to seed, apart by commas; truths.toml says what each must be told as.
"""

import json
import logging
import os
import sqlite3

FAULTS = set(os.environ.get("FAULTS", "").split(","))

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
