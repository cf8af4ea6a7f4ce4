"""Line ends are normalised before the signature is verified, as text mode does with a body."""

from payproof_reference.routes import stripe


def plant() -> None:
    read_body = stripe.read_body

    async def normalised(request, limit):
        return (await read_body(request, limit)).replace(b"\r\n", b"\n")

    stripe.read_body = normalised
