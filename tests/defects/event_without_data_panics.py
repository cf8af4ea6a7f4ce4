"""A signed event without data ends the connection, as a panic does in a server that goes on: there is no answer."""

from contextvars import ContextVar
from types import MethodType

from tests.defects._planting import look_into_signed_body, surround_service


def plant() -> None:
    receiving: ContextVar = ContextVar("receiving")

    def remember(service):
        async def handle(scope, receive, send):
            receiving.set(receive)
            await service(scope, receive, send)

        return handle

    def panic(event):
        if isinstance(event, dict) and event.get("id") and "data" not in event:
            # The service counts what it receives: uvicorn's own method, which knows the connection, is within.
            within = [cell.cell_contents for cell in receiving.get().__closure__]
            next(one for one in within if isinstance(one, MethodType)).__self__.transport.abort()

    surround_service(remember)
    look_into_signed_body(panic)
