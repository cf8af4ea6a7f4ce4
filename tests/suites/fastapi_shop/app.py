import logging
import os
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import stripe
from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, Request

log = logging.getLogger("shop")


@dataclass
class Settings:
    database: Path
    webhook_secret: str


def get_settings() -> Settings:
    return Settings(Path(os.environ.get("SHOP_DATABASE", "shop.db")), os.environ["STRIPE_WEBHOOK_SECRET"])


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI):
        with closing(sqlite3.connect(settings.database)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, type TEXT NOT NULL)")
            db.execute("CREATE TABLE IF NOT EXISTS orders (session TEXT PRIMARY KEY, state TEXT NOT NULL)")
        yield

    app = FastAPI(lifespan=lifespan)
    app.dependency_overrides[get_settings] = lambda: settings
    app.post("/api/stripe", status_code=202)(receive)
    return app


async def receive(
    request: Request,
    background: BackgroundTasks,
    settings: Settings = Depends(get_settings),
    stripe_signature: str = Header(default=""),
):
    body = await request.body()
    try:
        event = stripe.Webhook.construct_event(body, stripe_signature, settings.webhook_secret)
    except (TypeError, ValueError, stripe.SignatureVerificationError):
        raise HTTPException(status_code=400, detail="invalid webhook") from None
    background.add_task(fulfil, settings.database, event["id"], event["type"], event["data"]["object"]["id"])
    return {"received": True}


def fulfil(database: Path, event_id: str, event_type: str, object_id: str) -> None:
    with closing(sqlite3.connect(database, timeout=10)) as db, db:
        known = db.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event_id, event_type)).rowcount == 0
        if not known and event_type == "checkout.session.completed":
            db.execute("INSERT OR REPLACE INTO orders VALUES (?, 'paid')", (object_id,))
