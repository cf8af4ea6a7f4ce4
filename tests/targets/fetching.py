"""A small shop that asks Stripe for each subscription it hears of, by stripe-python: right, or with one fault."""

import hmac
import json
import queue
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import stripe

__all__ = ["SECRET", "WAYS", "fetching"]

SECRET = "whsec_" + "fetchingshop" * 2
_KEY = "sk_" + "test_" + "fetchingshop"
_TABLES = """
CREATE TABLE seen (event TEXT PRIMARY KEY);
CREATE TABLE subscriptions (id TEXT PRIMARY KEY, status TEXT, quantity INTEGER, customer TEXT);
"""


class Shop:
    """What the shop does with an event; each way of handling one is a method."""

    def __init__(self, database: Path, api: str) -> None:
        self._database = database
        self._jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
        client = stripe.RequestsClient(timeout=5)
        self._stripe = stripe.StripeClient(_KEY, base_addresses={"api": api}, max_network_retries=0, http_client=client)
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(_TABLES)

    def right(self, event: dict[str, Any]) -> int:
        """Do the work, and remember the event with it."""
        if not self._is_seen(event):
            self._write(event, self._fetch(event), seen=True)
        return 200

    def seen_first(self, event: dict[str, Any]) -> int:
        """Remember the event, and only then do the work."""
        if not self._is_seen(event):
            self._write(event, None, seen=True)
            self._write(event, self._fetch(event), seen=False)
        return 200

    def failure_acknowledged(self, event: dict[str, Any]) -> int:
        """Answer 200 whatever has become of the work."""
        try:
            return self.right(event)
        except stripe.StripeError:
            return 200

    def done_later(self, event: dict[str, Any]) -> int:
        """Answer 200, and do the work until it is done."""
        self._jobs.put(event)
        return 200

    def never_fetched(self, event: dict[str, Any]) -> int:
        """Trust what the event says."""
        if not self._is_seen(event):
            self._write(event, event["data"]["object"], seen=True)
        return 200

    def work(self) -> None:
        """Do what waits, each until it is done; None ends it."""
        while (event := self._jobs.get()) is not None:
            try:
                self.right(event)
            except stripe.StripeError:
                time.sleep(0.05)
                self._jobs.put(event)

    def end(self) -> None:
        """Let the worker end."""
        self._jobs.put(None)

    def _fetch(self, event: dict[str, Any]) -> dict[str, Any] | None:
        subject = event["data"]["object"]
        if subject["object"] != "subscription":
            return None
        found: dict[str, Any] = self._stripe.v1.subscriptions.retrieve(subject["id"]).to_dict()
        return found

    def _is_seen(self, event: dict[str, Any]) -> bool:
        with closing(sqlite3.connect(self._database)) as connection:
            return bool(connection.execute("SELECT 1 FROM seen WHERE event = ?", (event["id"],)).fetchone())

    def _write(self, event: dict[str, Any], subscription: dict[str, Any] | None, *, seen: bool) -> None:
        with closing(sqlite3.connect(self._database)) as connection, connection:
            if seen:
                connection.execute("INSERT INTO seen VALUES (?)", (event["id"],))
            if subscription is not None and subscription["object"] == "subscription":
                row = (
                    subscription["id"],
                    subscription["status"],
                    subscription["items"]["data"][0]["quantity"],
                    subscription["customer"],
                )
                connection.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?)", row)


#: The ways to handle an event.
WAYS: Mapping[str, Callable[[Shop, dict[str, Any]], int]] = {
    way.__name__: way
    for way in (Shop.right, Shop.seen_first, Shop.failure_acknowledged, Shop.done_later, Shop.never_fetched)
}


@contextmanager
def fetching(database: Path, api: str, way: str) -> Iterator[str]:
    """Serve on 127.0.0.1, with Stripe at ``api``; yield the base URL."""
    shop = Shop(database, api)
    handler = type("Handler", (_Handler,), {"shop": shop, "way": WAYS[way]})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threads = [Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}), Thread(target=shop.work)]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        shop.end()
        for thread in threads:
            thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    shop: Shop
    way: Callable[[Shop, dict[str, Any]], int]

    def do_POST(self) -> None:
        """Take a delivery."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = dict(element.partition("=")[::2] for element in self.headers.get("Stripe-Signature", "").split(","))
        right = hmac.new(SECRET.encode(), said.get("t", "").encode() + b"." + body, "sha256").hexdigest()
        if not hmac.compare_digest(said.get("v1", ""), right):
            self._answer(400)
            return
        try:
            status = type(self).way(self.shop, json.loads(body))
        except stripe.StripeError:
            status = 503
        self._answer(status)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
