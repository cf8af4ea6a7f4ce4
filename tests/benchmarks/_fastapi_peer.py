"""The peer: the smallest honest webhook handler on FastAPI, as a process of its own.

It verifies with Stripe's SDK and enters the event's id, durably, before it answers: one statement that commits itself.
It applies nothing, records nothing and logs nothing. `python -m tests.benchmarks._fastapi_peer PORT`, and in the
environment PEER_SECRET, PEER_DATABASE (a URL), PEER_CERTIFICATE and PEER_KEY (files).
"""

import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import stripe
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.concurrency import run_in_threadpool

__all__ = ["TABLE", "create_app", "opener"]

TABLE = "CREATE TABLE IF NOT EXISTS events (id VARCHAR(255) PRIMARY KEY, type VARCHAR(100), created BIGINT)"
_ENTER = "INSERT INTO events VALUES ({0}, {0}, {0}) ON CONFLICT DO NOTHING"


def opener(address: str) -> tuple[Callable[[], Any], str]:
    """Return what opens a connection that commits each statement, as durably as the service, and the statement."""
    if address.startswith("sqlite:///"):

        def sqlite() -> sqlite3.Connection:
            connection = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)
            for pragma in ("busy_timeout = 3000", "journal_mode = WAL", "synchronous = FULL"):
                connection.execute(f"PRAGMA {pragma}")
            return connection

        return sqlite, _ENTER.format("?")

    def postgresql() -> psycopg.Connection[Any]:
        place = address.replace("postgresql+psycopg:", "postgresql:")
        return psycopg.connect(place, autocommit=True, options="-c synchronous_commit=on")

    return postgresql, _ENTER.format("%s")


def create_app(secret: str, address: str) -> FastAPI:
    """Build the handler."""
    app, threads = FastAPI(), threading.local()
    connect, enter = opener(address)

    def store(event: stripe.Event) -> None:
        if not hasattr(threads, "connection"):
            threads.connection = connect()
        threads.connection.execute(enter, (event.id, event.type, event.created))

    @app.post("/webhooks/stripe")
    async def receive(request: Request) -> dict[str, bool]:
        try:
            event = stripe.Webhook.construct_event(
                await request.body(), request.headers.get("stripe-signature", ""), secret
            )
        except (ValueError, stripe.SignatureVerificationError):
            raise HTTPException(400) from None
        await run_in_threadpool(store, event)
        return {"received": True}

    return app


def main(port: int) -> None:
    """Serve, with the settings of the service's own server."""
    address = os.environ["PEER_DATABASE"]
    connect, _ = opener(address)
    with connect() as connection:
        connection.execute(TABLE)
    uvicorn.run(
        create_app(os.environ["PEER_SECRET"], address),
        port=port,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ssl_certfile=os.environ["PEER_CERTIFICATE"],
        ssl_keyfile=os.environ["PEER_KEY"],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
