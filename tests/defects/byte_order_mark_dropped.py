"""A byte order mark is dropped before the signature is verified, as `utf-8-sig` and Node's TextDecoder do."""

from payproof_reference.routes import stripe


def plant() -> None:
    read_body = stripe.read_body

    async def without_mark(request, limit):
        return (await read_body(request, limit)).removeprefix(b"\xef\xbb\xbf")

    stripe.read_body = without_mark
