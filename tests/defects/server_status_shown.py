"""The state of the web server is shown to anybody."""

from tests.defects._access import serve


def plant() -> None:
    serve("/server-status", "<html><h1>Apache Server Status for billing (via 127.0.0.1)</h1></html>", "text/html")
