"""When Ctrl-C is heard: in a case, which it ends, and never in what is told of a run, which would be half told.

A run goes from cases to reports and back. While reports are written Ctrl-C is only noted; the next case hears of it.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["allow_interrupts", "hold_interrupts"]


class _Held:
    """What stands in the place of a handler of SIGINT, and notes that it came."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back; only the main thread may. One that came when all was told changes nothing any more."""
    before = signal.signal(signal.SIGINT, _Held())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def allow_interrupts() -> Iterator[None]:
    """Let Ctrl-C through where it is held back, also one that has come meanwhile.

    Raises:
        KeyboardInterrupt: it came, before or within.
    """
    held = signal.getsignal(signal.SIGINT)
    if not isinstance(held, _Held):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the one that asyncio knows, to end what it waits for
    try:
        if held.came:
            raise KeyboardInterrupt
        yield
    finally:
        signal.signal(signal.SIGINT, held)
