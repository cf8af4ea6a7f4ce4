"""A signed event without data ends the connection, as a panic does in a server that goes on: there is no answer."""

from contextvars import ContextVar
from types import MethodType

from payproof_reference import app as application
from tests.defects._planting import look_into_signed_body


def plant() -> None:
    create_app = application.create_app
    receiving: ContextVar = ContextVar("receiving")

    def remember(service):
        async def handle(scope, receive, send):
            receiving.set(receive)
            await service(scope, receive, send)

        return handle

    def create_app_that_remembers(*given):
        service = create_app(*given)
        service.add_middleware(remember)
        return service

    def panic(event):
        if isinstance(event, dict) and event.get("id") and "data" not in event:
            # The service counts what it receives: uvicorn's own method, which knows the connection, is within.
            within = [cell.cell_contents for cell in receiving.get().__closure__]
            next(one for one in within if isinstance(one, MethodType)).__self__.transport.abort()

    application.create_app = create_app_that_remembers
    look_into_signed_body(panic)
