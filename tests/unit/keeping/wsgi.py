"""Answers, fails, or answers and leaves: under gunicorn."""

import os
from pathlib import Path


def app(environ, start_response):
    """Write the path down, read the body, and do what the path says."""
    path = environ["PATH_INFO"]
    with Path(os.environ["RECORD"]).open("a") as file:
        file.write(path + "\n")
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if path.startswith("/fail"):
        raise RuntimeError("made to fail")
    more = [("Connection", "close")] if path.startswith("/leave") else []
    start_response("200 OK", [("Content-Length", "2"), *more])
    return [b"ok"]
