"""Reads a target's sources, each in bounded time: one that hangs says nothing, and may not hold the run."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from payproof.domain.source import Excerpt, Log, Snapshot, Store
from payproof.errors import InconclusiveError, Reason

__all__ = ["find_position", "read_lines", "take_snapshot"]

_Seen = TypeVar("_Seen")


async def take_snapshot(store: Store, ids: Sequence[str], before: Snapshot | None, seconds: float) -> Snapshot:
    """Take a store's state.

    Raises:
        InconclusiveError: it cannot be read, or not in so many seconds.
    """
    return await _within(store.snapshot(ids, before), f"store {store.name}", seconds)


async def find_position(log: Log, seconds: float) -> Any:
    """Return the place where a log ends.

    Raises:
        InconclusiveError: it cannot be looked at, or not in so many seconds.
    """
    return await _within(log.position(), f"log {log.name}", seconds)


async def read_lines(log: Log, position: Any, seconds: float) -> list[Excerpt]:
    """Return the lines of a log behind a position.

    Raises:
        InconclusiveError: it cannot be read, or not in so many seconds.
    """

    async def read() -> list[Excerpt]:
        return [line async for line in log.since(position)]

    return await _within(read(), f"log {log.name}", seconds)


async def _within(look: Coroutine[Any, Any, _Seen], name: str, seconds: float) -> _Seen:
    try:
        async with asyncio.timeout(seconds):
            return await look
    except TimeoutError:
        detail = f"{name} was not read within {seconds:g} s (patience of [budget] gives it more)"
        raise InconclusiveError(Reason.SOURCE_UNREADABLE, detail) from None
