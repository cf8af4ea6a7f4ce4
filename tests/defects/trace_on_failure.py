"""A listing whose limit is far too large fails, and the answer is the traceback."""

import traceback

from starlette.responses import PlainTextResponse

from payproof_reference import app as application


def plant() -> None:
    on_invalid_request = application.on_invalid_request

    async def failing(request, error):
        if all(detail["loc"][-1] != "limit" for detail in error.errors()):
            return await on_invalid_request(request, error)
        return PlainTextResponse("".join(traceback.format_exception(error)), 500)

    application.on_invalid_request = failing
