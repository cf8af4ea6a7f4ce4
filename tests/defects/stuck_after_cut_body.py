"""A body that ends before its length leaves the service waiting: it answers 503 to all that comes later."""

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from payproof_reference.middleware.errors import UnhandledErrors


def plant() -> None:
    begin, stuck = UnhandledErrors.__init__, []

    def begin_waiting(self, app):
        async def inner(scope, receive, send):
            if stuck:
                await Response(status_code=503)(scope, receive, send)
                return
            try:
                await app(scope, receive, send)
            except ClientDisconnect:
                stuck.append(True)

        begin(self, inner)

    UnhandledErrors.__init__ = begin_waiting
