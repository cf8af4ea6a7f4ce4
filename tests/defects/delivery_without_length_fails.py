"""A delivery that comes in chunks has no length, and to ask for one is an error that nobody handles."""

from payproof_reference.routes import stripe


def plant() -> None:
    read_body = stripe.read_body

    async def measured(request, limit):
        int(request.headers["content-length"])
        return await read_body(request, limit)

    stripe.read_body = measured
