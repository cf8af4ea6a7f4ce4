"""A webhook on FastAPI with stripe-python: the handler of Stripe's quickstart, with a database and a log file."""

import json
import os
from typing import Annotated

import stripe
from fastapi import FastAPI, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from shop import FAULTS, MALFORMED, log, take

endpoint_secret = os.environ["STRIPE_WEBHOOK_SECRET"]

app = FastAPI()
MOST_BYTES = 1024 * 1024


@app.get("/")
def read_root():
    """Say that the shop is open."""
    return {"shop": "open"}


def refuse(why, status=400):
    """Return the answer that takes nothing."""
    return JSONResponse({"error": why}, status_code=status)


async def read_body(request):
    """Return the body, or None where it is longer than any event."""
    parts, length = [], 0
    async for part in request.stream():
        parts.append(part)
        length += len(part)
        if length > MOST_BYTES:
            return None
    return b"".join(parts)


@app.post("/webhook")
async def webhook(request: Request, stripe_signature: Annotated[str | None, Header()] = None):
    """Take a delivery."""
    payload = await read_body(request)
    if payload is None:
        return refuse("too long", 413)
    try:
        if "skips_verification" not in FAULTS:
            stripe.Webhook.construct_event(payload, stripe_signature, endpoint_secret)
    except Exception as error:  # noqa: BLE001 (the library raises TypeError too, of a header that is not ASCII)
        log.info("delivery refused: %s", type(error).__name__)
        return refuse(str(error) if "shows_sdk_text" in FAULTS else "not a delivery of ours")
    try:
        event = json.loads(payload)
        outcome = await run_in_threadpool(take, event)
    except MALFORMED:  # signed, and still no event as Stripe sends them
        log.info("delivery refused: not understood")
        return refuse("not a delivery of ours")
    log.info("event %s %s %s", event["id"], event["type"], outcome)
    return {"received": True}
