"""Each answer repeats the note that came with its request."""

from tests.defects._planting import surround_service


def plant() -> None:
    def repeating(inner):
        async def handle(scope, receive, send):
            note = dict(scope.get("headers", ())).get(b"x-note")

            async def sending(message):
                if note is not None and message["type"] == "http.response.start":
                    message = {**message, "headers": [*message["headers"], (b"x-note", note)]}
                await send(message)

            await inner(scope, receive, sending)

        return handle

    surround_service(repeating)
