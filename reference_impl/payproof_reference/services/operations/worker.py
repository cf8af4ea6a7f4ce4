"""The worker: a thread that carries out the operations that requests left pending."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

__all__ = ["Worker", "run_worker"]

log = structlog.get_logger()

# How long a shutdown waits. An attempt that takes longer is cut off like by a crash, and repeated after its claim.
STOP_SECONDS = 1.0
# As long as the longest interval that an operator may set.
LONGEST_REST_SECONDS = 300.0


class Worker:
    """Repeats one step of work until it is stopped.

    Args:
        work: does one thing, and returns False when there is nothing to do.
        rest_seconds: how long it waits then; twice as long after each failure in a row.
    """

    def __init__(self, work: Callable[[], bool], rest_seconds: float) -> None:
        self._work = work
        self._rest_seconds = rest_seconds
        self._rest = rest_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more work, and wait for what is under way, but not for long."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def step(self) -> float:
        """Do one thing, whatever comes of it, and return the seconds until the next."""
        try:
            has_worked = self._work()
        except Exception as error:
            # The database may be away, and the thread has to outlive that.
            log.exception("worker_failed", exc_info=error)
            self._rest = min(2 * self._rest, LONGEST_REST_SECONDS)
            return self._rest
        self._rest = self._rest_seconds
        return 0 if has_worked else self._rest

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = self.step()


@contextmanager
def run_worker(worker: Worker) -> Iterator[None]:
    """Let a worker work for as long as the context lasts."""
    worker.start()
    try:
        yield
    finally:
        worker.stop()
