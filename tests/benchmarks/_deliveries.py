"""Deliveries per second to a local nginx: the harness beside wrk and a plain aiohttp loop, in the same run."""

import asyncio
from collections.abc import Callable
from statistics import median

from rich.table import Table

from payproof.domain.request import Request
from tests.benchmarks._harness import client_alone, made_and_signed, prebuilt
from tests.benchmarks._load import Rate
from tests.benchmarks._nginx import nginx
from tests.benchmarks._peers import plain_aiohttp, wrk

__all__ = ["deliveries"]

_CONNECTIONS = (1, 32)
_WRK, _AIOHTTP = "wrk, one thread, one request", "plain aiohttp, one request"
_CLIENT, _CASES = "harness, its client, one request", "harness, cases: event made, signed, sent"

_Contender = Callable[[int], Rate]


def deliveries(*, with_wrk: bool, rounds: int = 3, seconds: int = 1) -> Table:
    """Measure every contender on every number of connections, in turns of whole seconds, as wrk knows no others.

    The contenders take turns, so that a slow moment of the machine falls on all of them.
    """
    with nginx() as url:
        request = prebuilt(url)
        contenders = _contenders(url, request, seconds, with_wrk=with_wrk)
        seen: dict[tuple[int, str], list[Rate]] = {}
        for _ in range(rounds):
            for connections in _CONNECTIONS:
                for name, contender in contenders.items():
                    seen.setdefault((connections, name), []).append(contender(connections))
    table = Table(title=_title(request, rounds, seconds), title_justify="left", box=None)
    for column in ("contender", "connections", "per second", "of wrk", "of aiohttp", "slowest", "fastest"):
        table.add_column(column, justify="left" if column == "contender" else "right")
    middle = {key: median(rates) for key, rates in seen.items()}
    for (connections, name), rates in seen.items():
        rate = middle[connections, name]
        shares = [_share(rate, middle.get((connections, peer))) for peer in (_WRK, _AIOHTTP)]
        table.add_row(name, str(connections), f"{rate:,.0f}", *shares, f"{min(rates):,.0f}", f"{max(rates):,.0f}")
    return table


def _contenders(url: str, request: Request, seconds: int, *, with_wrk: bool) -> dict[str, _Contender]:
    peers: dict[str, _Contender] = {_WRK: lambda connections: wrk(url, request, connections, seconds)}
    return (peers if with_wrk else {}) | {
        _AIOHTTP: lambda connections: asyncio.run(plain_aiohttp(url, request, connections, seconds)),
        _CLIENT: lambda connections: asyncio.run(client_alone(url, request, connections, seconds)),
        _CASES: lambda connections: made_and_signed(url, connections, seconds),
    }


def _title(request: Request, rounds: int, seconds: int) -> str:
    return (
        f"deliveries per second to nginx (one worker, http, answers 204), bodies of {len(request.body):,} bytes, "
        f"median of {rounds} turns of {seconds} s"
    )


def _share(rate: Rate, peer: Rate | None) -> str:
    return "-" if peer is None else f"{rate / peer:.1%}"
