"""A compressed body is unpacked before anybody looks who sends it, and how long it is."""

import zlib

from starlette.responses import Response

from tests.defects._planting import surround_service


def plant() -> None:
    def unpacking(inner):
        async def handle(scope, receive, send):
            if dict(scope.get("headers", ())).get(b"content-encoding") != b"gzip":
                await inner(scope, receive, send)
                return
            packed, more = b"", True
            while more:
                message = await receive()
                packed, more = packed + message.get("body", b""), message.get("more_body", False)
            plain = zlib.decompress(packed, wbits=31)
            await Response(b'{"error": {"code": "bad_request"}}', 400 if plain else 401)(scope, receive, send)

        return handle

    surround_service(unpacking)
