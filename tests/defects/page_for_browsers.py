"""Whoever takes HTML gets the framework's page for developers instead of a general answer."""

from starlette.requests import Request
from starlette.responses import HTMLResponse

from tests.defects._planting import answered_otherwise


def plant() -> None:
    def shown(scope):
        if "text/html" in Request(scope).headers.get("accept", ""):
            return HTMLResponse("<html><title>Starlette Debugger</title><h1>500 Server Error</h1></html>", 500)
        return None

    answered_otherwise(shown)
