"""A signed event without data ends the connection, as a panic does in a server that goes on: there is no answer."""

from contextvars import ContextVar

from payproof_reference import app as application
from tests.defects._planting import look_into_signed_body


def plant() -> None:
    create_app = application.create_app
    connection: ContextVar = ContextVar("connection")

    def remember(service):
        async def handle(scope, receive, send):
            connection.set(getattr(getattr(receive, "__self__", None), "transport", None))
            await service(scope, receive, send)

        return handle

    def create_app_that_remembers(*given):
        service = create_app(*given)
        service.add_middleware(remember)
        return service

    def panic(event):
        if isinstance(event, dict) and event.get("id") and "data" not in event:
            connection.get().abort()

    application.create_app = create_app_that_remembers
    look_into_signed_body(panic)
