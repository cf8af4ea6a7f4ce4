"""Calls per second through the upstream beside its bare backends, by the same client, in the same run."""

import json
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rich.console import RenderableType
from rich.table import Table

from payproof.adapters.data import data_folder
from payproof.adapters.upstream import DoubleBackend, HttpBackend, Limits, UpstreamServer, stripe_mock
from payproof.canary import Ledger
from payproof.errors import ConfigurationError
from payproof.session import event_factory
from payproof.session.upstream import known_faults
from payproof.stripe.api import ApiRequest
from payproof.stripe.double import Double
from payproof.stripe.upstream.errors import Errors
from payproof.stripe.upstream.fault_names import FAULTS, UNSAFE_CONNECTIONS
from tests.benchmarks._machine import program

__all__ = ["upstream"]

_CONNECTIONS = 8
_PATH = "/v1/prices/price_team"
_KEY = "sk_" + "test_" + secrets.token_hex(12)
_DIRECT, _MOCK = "without a network", "stripe-mock"
_LUA = """\
wrk.headers["Authorization"] = "Bearer {key}"
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{{"failed":%d,"rate":%f}}\\n', failed, summary.requests * 1e6 / summary.duration))
end
"""


def upstream(rounds: int = 5, seconds: int = 1) -> tuple[list[RenderableType], list[str]]:
    """Return the rates, in turns of whole seconds, and what is covered, and a line where stripe-mock is missing."""
    with ExitStack() as stack:
        failed = []
        backends: dict[str, DoubleBackend | HttpBackend] = {"the double": DoubleBackend(_double())}
        try:
            backends[_MOCK] = stack.enter_context(stripe_mock())
        except ConfigurationError as error:
            failed.append(f"not measured: {error}")
        urls: dict[tuple[str, str], str] = {}
        for name, backend in backends.items():
            if isinstance(backend, HttpBackend):
                urls[name, "bare, HTTP"] = backend.url
            server = stack.enter_context(UpstreamServer(backend, ledger=Ledger(), limits=Limits(calls=10_000_000)))
            urls |= {(name, f"upstream, {scheme.upper()}"): url for scheme, url in server.urls.items()}
        script = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="payproof-bench-"))) / "calls.lua"
        script.write_text(_LUA.format(key=_KEY))
        rates: dict[tuple[str, str], list[float]] = {("the double", _DIRECT): [], **{place: [] for place in urls}}
        for _ in range(rounds):
            rates["the double", _DIRECT].append(_called(seconds))
            for place, url in urls.items():
                rates[place].append(_asked(url + _PATH, script, seconds))
    return [_rates(rates, seconds), _covered()], failed


def _double() -> Double:
    double = Double(data_folder("fixtures"), clock=time.time, seed=1, api_version=event_factory(1).versions()[-1])
    double.hooks.sell("price_team", amount=1000, currency="usd", recurring=True)
    return double


def _called(longest: float) -> float:
    double, request = _double(), ApiRequest("GET", _PATH, headers={"authorization": f"Bearer {_KEY}"})
    started, done = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < longest:
        assert double.answer(request).status == 200
        done += 1
    return done / seconds


def _asked(url: str, script: Path, seconds: int) -> float:
    command = (program("wrk"), "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url)
    said = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout
    told = json.loads(said.strip().splitlines()[-1])
    if told["failed"]:
        raise RuntimeError(f"{url}: {told['failed']} calls failed")
    return float(told["rate"])


def _rates(rates: dict[tuple[str, str], list[float]], seconds: int) -> Table:
    table = Table(
        title=f"GET {_PATH}, calls per second, {_CONNECTIONS} connections kept open, "
        f"median of {len(rates['the double', _DIRECT])} turns of {seconds} s",
        title_justify="left",
        box=None,
    )
    for column in ("backend", "asked"):
        table.add_column(column)
    for column in ("per second", "of the bare backend", "slowest", "fastest"):
        table.add_column(column, justify="right")
    for (backend, how), seen in rates.items():
        bare = median(rates[backend, "bare, HTTP" if backend == _MOCK else _DIRECT])
        figures = (f"{median(seen):,.0f}", f"{median(seen) / bare:.0%}", f"{min(seen):,.0f}", f"{max(seen):,.0f}")
        table.add_row(backend, how, *figures)
    return table


def _covered() -> Table:
    api_version = event_factory(1).versions()[-1]
    table = Table(title="what can be made to go wrong", title_justify="left", box=None)
    table.add_column("sort")
    table.add_column("number", justify="right")
    for sort, number in _counted(api_version):
        table.add_row(sort, str(number))
    return table


def _counted(api_version: str) -> Iterator[tuple[str, int]]:
    errors = list(Errors(data_folder("fixtures"), api_version=api_version))
    yield "Stripe's errors, decline codes among them", len(errors)
    yield "decline codes", sum(error.decline_code is not None for error in errors)
    yield "faults of the way there", len(FAULTS)
    yield "unsafe connections", len(UNSAFE_CONNECTIONS)
    yield "all, each struck with by a scenario", len(known_faults(api_version))
