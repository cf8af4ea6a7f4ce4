"""The peers: wrk, and a plain aiohttp loop, each posting one pre-signed request over and over."""

import re
import subprocess
import tempfile
import time
from pathlib import Path

import aiohttp

from payproof.domain.request import Request
from tests.benchmarks._load import Rate, kept_up
from tests.benchmarks._machine import program

__all__ = ["plain_aiohttp", "wrk"]

_SUCCESS = 204

_LUA = """\
wrk.method = "POST"
wrk.path = "{path}"
local file = assert(io.open("{body}", "rb"))
wrk.body = file:read("*a")
file:close()
{headers}
"""
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_TROUBLE = re.compile(r"Non-2xx or 3xx responses: \d+|Socket errors: .*")


def wrk(url: str, request: Request, connections: int, seconds: int) -> Rate:
    """Return what one thread of wrk does; raises RuntimeError where not every request was answered with success."""
    executable = program("wrk")
    assert executable is not None
    with tempfile.TemporaryDirectory(prefix="payproof-bench-") as name:
        body, script = Path(name, "body"), Path(name, "post.lua")
        body.write_bytes(request.body)
        headers = "\n".join(f'wrk.headers["{key.decode()}"] = "{value.decode()}"' for key, value in request.headers)
        script.write_text(_LUA.format(path=request.target, body=body, headers=headers))
        command = (executable, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url)
        said = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    rate = _RATE.search(said)
    if rate is None or (trouble := _TROUBLE.search(said)):
        raise RuntimeError(f"wrk: {trouble.group() if rate and trouble else said}")
    return float(rate.group(1))


async def plain_aiohttp(url: str, request: Request, connections: int, seconds: float) -> Rate:
    """Return what aiohttp does in as few lines as it takes."""
    headers = {key.decode(): value.decode() for key, value in request.headers}
    where = url + request.target
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one() -> None:
            async with session.post(where, data=request.body, headers=headers) as response:
                await response.read()
                if response.status != _SUCCESS:
                    raise RuntimeError(f"aiohttp: status {response.status}")

        return await kept_up(one, connections, time.perf_counter() + seconds)
