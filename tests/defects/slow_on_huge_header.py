"""Each `v1` is looked up in a remote store of keys, about a millisecond each, however many a sender lists."""

import asyncio

from payproof_reference.routes import stripe


def plant() -> None:
    read_body = stripe.read_body

    async def looked_up(request, limit):
        await asyncio.sleep(0.0011 * request.headers.get("stripe-signature", "").count("v1="))
        return await read_body(request, limit)

    stripe.read_body = looked_up
