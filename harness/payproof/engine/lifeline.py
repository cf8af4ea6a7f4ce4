"""Tells a target that is gone from one that has closed a connection, and waits until it is back.

A request that got no answer is followed by a harmless one. Where that one is answered, the target is there: the request
is sent once more, and what then comes counts. Where no genuine event is answered either, the request has ended the
target, or the one before it has, whose work went on after its answer. Payproof waits for a supervisor to start it
again, for a bounded time, so that the run can go on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from payproof.domain.observation import Answer, Exchange
from payproof.domain.request import Request
from payproof.engine.ports import Clock, Sender

__all__ = ["Lifeline"]

_BACK_SECONDS = 15.0
_TRIES, _BETWEEN = 3, 0.1
_ANSWER_SECONDS = 5.0
_LATE_SECONDS = 0.5  # within which what goes on after an answer may end the target
_LARGE_HEAD = 8192  # bytes of headers that a server may refuse by closing the connection


@dataclass(frozen=True, slots=True)
class _LastAnswer:
    """A request that was answered."""

    request: Request
    exchange: Exchange


class Lifeline:
    """Whether the target of a run is there; ``gone`` says since when it is not."""

    def __init__(self, sender: Sender, clock: Clock, path: str, patience: float) -> None:
        self._sender, self._clock, self._path, self._patience = sender, clock, path, patience
        self._last: _LastAnswer | None = None
        self.gone = ""

    def note(self, request: Request, exchange: Exchange) -> None:
        """Take note of an answer: one that has answered can be gone later."""
        if isinstance(exchange.answer, Answer):
            self._last = _LastAnswer(request, exchange)

    def is_suspect(self, request: Request, exchange: Exchange) -> bool:
        """Whether no answer came where there was one before, to a request that a server has to answer."""
        head = sum(len(name) + len(value) for name, value in request.headers)
        ordinary = not request.wire and head < _LARGE_HEAD
        return self._last is not None and ordinary and exchange.was_cut_off

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

    async def find_end(
        self, request: Request, lost: Exchange, restart: Callable[[], Awaitable[None]]
    ) -> tuple[Request, str]:
        """Have the target back, and return the request that has ended it, with what is to be told.

        That is the one that got no answer, unless it is answered now, and the one before it ends the target again.
        """
        step, told = lost.step, _describe(lost)
        before = self._last
        back = await self.bring_back(step, told, restart)
        detail = f"no answer came to {told}, and then to nothing any more; {back}"
        if self.gone or before is None:
            return request, detail
        if not await self._survives(request, step):
            await self.bring_back(step, told, restart)
        elif await self._survives(before.request, step):
            detail += "; sent again, it is answered"
        else:
            told = _describe(before.exchange)
            back = await self.bring_back(step, told, restart)
            return before.request, f"after its answer to {told} the target answered nothing any more; {back}"
        return request, detail

    async def bring_back(self, step: int, since: str, restart: Callable[[], Awaitable[None]]) -> str:
        """Start the target again, where that is known, and wait for it; return how it went."""
        await restart()
        back = await self._wait_until_back(step, since)
        return "it did not come back" if back is None else f"it was back after {back:.1f} s"

    async def _survives(self, request: Request, step: int) -> bool:
        """Whether the target answers a request, and goes on after it."""
        if (await self._sender.send(request, step)).was_cut_off:
            return False
        await self._clock.sleep(_LATE_SECONDS)
        return await self.is_there(step)

    async def _wait_until_back(self, step: int, since: str) -> float | None:
        """Wait for the target to be back; return after how many seconds, or None where it was not in time."""
        started = self._clock.monotonic()
        while (waited := self._clock.monotonic() - started) < _BACK_SECONDS * self._patience:
            if await self.answers(step):
                return waited
            await self._clock.sleep(_BETWEEN)
        self.gone = since
        return None


def _describe(exchange: Exchange) -> str:
    return f"{exchange.sent.note} ({exchange.sent.method} {exchange.sent.url})"
