"""Answers, fails, or answers and leaves: under uvicorn."""

import os
from pathlib import Path


async def app(scope, receive, send):
    """Write the path down, read the body, and do what the path says."""
    if scope["type"] != "http":
        return
    _write_down(scope["path"])
    while (await receive()).get("more_body"):
        pass
    if scope["path"].startswith("/fail"):
        raise RuntimeError("made to fail")
    more = [(b"connection", b"close")] if scope["path"].startswith("/leave") else []
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2"), *more]})
    await send({"type": "http.response.body", "body": b"ok"})


def _write_down(path):
    with Path(os.environ["RECORD"]).open("a") as file:
        file.write(path + "\n")
