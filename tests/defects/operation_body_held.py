"""The body of an operation is read to its end before anybody looks how long it is."""

from payproof_reference.middleware import card_data
from payproof_reference.middleware.bodies import BodyTooLargeError


def plant() -> None:
    async def read_body(request, limit):
        body = await request.body()
        if len(body) > limit:
            raise BodyTooLargeError
        return body

    card_data.read_body = read_body
