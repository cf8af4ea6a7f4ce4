"""White space around the body is stripped before the signature is verified."""

from payproof_reference.routes import stripe


def plant() -> None:
    read_body = stripe.read_body

    async def stripped(request, limit):
        return (await read_body(request, limit)).strip()

    stripe.read_body = stripped
