"""A header that cannot be read is answered with the debugger's page of the framework."""

import sys

from starlette.middleware.errors import ServerErrorMiddleware
from starlette.responses import HTMLResponse

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def debugged(request, cause):
        page = ServerErrorMiddleware(request.app, debug=True).generate_html(sys.exception())
        return HTMLResponse(page, reject(request, cause).status_code)

    stripe.reject = debugged
