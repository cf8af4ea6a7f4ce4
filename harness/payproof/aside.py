"""Work that blocks, such as a statement that a database takes its time for, done beside the event loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

__all__ = ["GRACE", "aside"]

_Result = TypeVar("_Result")

#: Seconds in which work must end once it was broken off.
GRACE = 10.0


async def aside(
    work: Callable[[], _Result], *, interrupt: Callable[[], None] = lambda: None, seconds: float | None = None
) -> _Result:
    """Do work in a thread of its own while the loop goes on, and return what it returns.

    Once its time is over, or whoever waits for it is cancelled, ``interrupt`` has to break it off; work that returns
    something even then has that returned. Work that goes on all the same is left to itself, and ends with the process.

    Raises:
        TimeoutError: it went on after its time.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()
    done.add_done_callback(lambda ended: ended.exception())  # nobody may be waiting any more

    def run() -> None:
        settle: Callable[[], None]
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 (it is raised where the work is waited for)
            failure = error
            settle = lambda: done.set_exception(failure)  # noqa: E731 (one of two)
        else:
            settle = lambda: done.set_result(result)  # noqa: E731
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle)

    Thread(target=run, daemon=True).start()
    try:
        await asyncio.wait({done}, timeout=seconds)
    except asyncio.CancelledError:
        interrupt()
        await asyncio.wait({done}, timeout=GRACE)
        raise
    if not done.done():
        interrupt()
        await asyncio.wait({done}, timeout=GRACE)
        if not done.done():
            raise TimeoutError
    return done.result()
