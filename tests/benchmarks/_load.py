"""Keeps a number of requests under way until a deadline, and tells how many were done each second."""

import asyncio
import time
from collections.abc import Awaitable, Callable

__all__ = ["Rate", "kept_up"]

Rate = float  # requests per second


async def kept_up(one: Callable[[], Awaitable[None]], connections: int, until: float) -> Rate:
    """Repeat something in as many tasks as there are connections until a ``perf_counter`` time; return the rate."""
    done = 0
    started = time.perf_counter()

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await one()
            done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(worker())
    return done / (time.perf_counter() - started)
