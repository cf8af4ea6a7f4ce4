"""Tells a target that is gone from one that has closed a connection, and waits until it is back.

A request that got no answer is followed by a harmless one. Where that one is answered, the target is there: the request
is sent once more, and what then comes counts. Where no genuine event is answered either, the request has ended the
target. Payproof waits for a supervisor to start it again, for a bounded time, so that the run can go on.
"""

from payproof.domain.observation import Answer, Exchange
from payproof.domain.request import Request
from payproof.engine.ports import Clock, Sender

__all__ = ["Lifeline"]

_BACK_SECONDS = 15.0
_TRIES, _BETWEEN = 3, 0.1
_ANSWER_SECONDS = 5.0
_LARGE_HEAD = 8192  # bytes of headers that a server may refuse by closing the connection


class Lifeline:
    """Whether the target of a run is there; ``gone`` says since when it is not."""

    def __init__(self, sender: Sender, clock: Clock, path: str, patience: float) -> None:
        self._sender, self._clock, self._path, self._patience = sender, clock, path, patience
        self._has_answered = False
        self.gone = ""

    def note(self, exchange: Exchange) -> None:
        """Take note of an answer: one that has answered can be gone later."""
        self._has_answered = self._has_answered or isinstance(exchange.answer, Answer)

    def is_suspect(self, request: Request, exchange: Exchange) -> bool:
        """Whether no answer came where there was one before, to a request that a server has to answer."""
        head = sum(len(name) + len(value) for name, value in request.headers)
        ordinary = not request.wire and head < _LARGE_HEAD
        return self._has_answered and ordinary and exchange.was_cut_off

    async def is_there(self, step: int) -> bool:
        """Whether the target answers anything, within a few tries."""
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_BETWEEN)
            if await self.answers(step):
                return True
        return False

    async def answers(self, step: int) -> bool:
        """Whether the target answers a request that changes nothing."""
        ask = Request("HEAD", self._path, (), b"", "is it there", within=_ANSWER_SECONDS, once=True)
        return not (await self._sender.send(ask, step)).was_cut_off

    async def wait_until_back(self, step: int, since: str) -> float | None:
        """Wait for the target to be back; return after how many seconds, or None where it was not in time."""
        started = self._clock.monotonic()
        while (waited := self._clock.monotonic() - started) < _BACK_SECONDS * self._patience:
            if await self.answers(step):
                return waited
            await self._clock.sleep(_BETWEEN)
        self.gone = since
        return None
