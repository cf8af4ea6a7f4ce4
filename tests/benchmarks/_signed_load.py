"""Posts distinct events, signed beforehand, by wrk over HTTPS, and tells how many were answered with success."""

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from payproof.session import event_factory
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.signature import hexdigest
from tests.benchmarks._machine import program

__all__ = ["Signed", "Turn"]

_MOST_PER_SECOND = 4000
_LUA = """\
local requests, sent = {}, 0
local file = assert(io.open("{file}", "rb"))
for length in file:lines() do
  requests[#requests + 1] = file:read(tonumber(length))
end
file:close()
function request()
  sent = sent + 1
  return assert(requests[sent], "more requests are needed")
end
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local form = '\\n{"answered":%d,"failed":%d,"microseconds":%d,"p50":%f,"p99":%f}\\n'
  local p50, p99 = latency:percentile(50), latency:percentile(99)
  io.write(string.format(form, summary.requests, failed, summary.duration, p50, p99))
end
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to: how many were answered, how many a second, and milliseconds for an answer."""

    answered: int
    rate: float
    p50: float
    p99: float


class Signed:
    """Makes events that differ in the ids of event, subscription and customer, under one secret."""

    def __init__(self, secret: str) -> None:
        factory = event_factory(1)
        canaries = dict.fromkeys(("name", "email", "phone", "address", "description", "metadata"), "benchmark")
        made = factory.make(
            "customer.subscription.updated",
            api_version=factory.versions()[-1],
            now=int(time.time()),
            canaries=canaries,
            key="benchmark",
            ids={"evt": "evt_00000000", "sub": "sub_00000000", "cus": "cus_00000000"},
        )
        self.body = made.encode()
        self._secret = secret
        self._numbers = count(1)

    def turn(self, port: int, connections: int, seconds: int) -> Turn:
        """Keep so many requests under way for a while; raises RuntimeError where one was not answered with success."""
        executable = program("wrk")
        assert executable is not None
        with tempfile.TemporaryDirectory(prefix="payproof-bench-") as name:
            file, script = Path(name, "requests"), Path(name, "post.lua")
            with file.open("wb") as requests:
                for _ in range(_MOST_PER_SECOND * seconds):
                    one = self._request()
                    requests.write(b"%d\n%b" % (len(one), one))
            script.write_text(_LUA.replace("{file}", str(file)))
            command = (
                executable,
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "-s",
                str(script),
                f"https://127.0.0.1:{port}",
            )
            said = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        told = [line for line in said.stdout.splitlines() if line.startswith('{"answered"')]
        if not told or said.returncode:
            raise RuntimeError(f"wrk: {said.stdout}{said.stderr}")
        seen = json.loads(told[0])
        if seen["failed"]:
            raise RuntimeError(f"wrk: {seen['failed']} of {seen['answered']} were not answered with success")
        rate = seen["answered"] / seen["microseconds"] * 1e6
        return Turn(seen["answered"], rate, seen["p50"] / 1000, seen["p99"] / 1000)

    def _request(self) -> bytes:
        body, now = self.body, int(time.time())
        number = b"_%08d" % next(self._numbers)
        for prefix in (b"evt", b"sub", b"cus"):
            body = body.replace(prefix + b"_00000000", prefix + number)
        head = [b"POST /webhooks/stripe HTTP/1.1", b"Host: 127.0.0.1", b"Content-Length: %d" % len(body)]
        head += [b"%b: %b" % pair for pair in STRIPE_HEADERS]
        head.append(f"Stripe-Signature: t={now},v1={hexdigest(body, self._secret, str(now))}".encode())
        return b"\r\n".join(head) + b"\r\n\r\n" + body
