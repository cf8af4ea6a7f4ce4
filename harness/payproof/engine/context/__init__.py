"""The context that the steps of one phase get from the engine.

A ``CaseContext`` is made for each control and each case, with randomness and canaries of its own. It counts requests,
and delegates all else to one part for each thing that steps ask for: ``clock``, ``events``, ``canaries``, ``stripe``,
``at_rest``, ``retention``, ``outage``, ``instance``, ``memory``, ``entitlement``. The protocols in
``payproof.domain.context`` say what each part offers to steps. The parts share a ``Progress``: how far the phase has
come.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from random import Random
from typing import NoReturn

from payproof.canary import make_canaries
from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel, Exchange, NoAnswer, Observation
from payproof.domain.request import Request
from payproof.domain.seen import Seen
from payproof.domain.target import Target, Webhook
from payproof.engine.context.canaries import CaseCanaries
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.entitlement import CaseEntitlement
from payproof.engine.context.events import CaseEvents
from payproof.engine.context.flows import CaseFlows
from payproof.engine.context.instance import CaseInstance
from payproof.engine.context.memory import CaseMemory
from payproof.engine.context.outage import CaseOutage
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.context.retention import CaseRetention
from payproof.engine.context.search import CaseSearch
from payproof.engine.context.stores import CaseStores
from payproof.engine.context.stripe import CaseStripe
from payproof.engine.equipment import Equipment
from payproof.engine.shared import Shared
from payproof.errors import InconclusiveError, Reason, TargetGoneError
from payproof.fuzzing.curl import curl_line
from payproof.stripe.deliveries import signed_request

__all__ = ["CaseContext"]

_LONGEST_LINE = 2000
_FEWEST_TOGETHER = 2


class CaseContext:
    """All that the steps of one phase may touch.

    ``requests`` are the requests that the phase may send. ``expect`` and ``control`` are what an exchange is judged by
    alone.

    Args:
        target: the billing system under test.
        equipment: what the run has for all cases.
        key: names the phase; with ``seed``, the run's, it decides on all randomness.
        seed: the run's.
        shared: what the cases of a run share.
    """

    def __init__(self, target: Target, equipment: Equipment, *, key: str, seed: int, shared: Shared) -> None:
        self.target, self._shared = target, shared
        self.random = Random(f"{seed} {key}")
        self.progress = PhaseProgress()
        self.requests = target.budget.case_requests
        self.expect: tuple[Check | Expectation, ...] = ()
        self.control: tuple[Observation, ...] = ()
        self._sender, self._upstream = equipment.sender, equipment.upstream
        self._is_at_instance = False
        self._conceal, self._commands = equipment.ledger.conceal_text, equipment.commands
        values = make_canaries(self.random)
        self.clock = CaseClock(equipment.clock)
        self.canaries = CaseCanaries(equipment.ledger, values)
        self.events = CaseEvents(equipment.events, target, shared.turns, self.clock, values, key)
        self.stripe = CaseStripe(equipment.upstream, self.random, self.canaries)
        self.at_rest = CaseSearch(equipment.at_rest, target.budget, self.progress, self.clock, self.canaries)
        self.retention = CaseRetention(
            equipment.commands, equipment.writer, target.retention, self.progress, self.clock
        )
        self.outage = CaseOutage(equipment.outages, self.clock)
        self.instance = CaseInstance(equipment.instances, self.progress, self.clock)
        self.memory = CaseMemory(equipment.memory, self.progress)
        self.flows = CaseFlows(equipment.account, equipment.flows)
        self.stores = CaseStores(target, shared.stores, shared.patience, self.progress, self.clock, equipment.ledger)
        self.entitlement = CaseEntitlement(target, shared.stores, shared.patience, self.progress, self._conceal)

    @property
    def sent(self) -> Sequence[Request]:
        """The requests that this phase has sent so far, oldest first."""
        return self.progress.sent

    @property
    def accepted(self) -> Sequence[str]:
        """The ids in the requests of this phase that were answered with a success, those of their events too."""
        return self.progress.accepted

    @property
    def kept(self) -> dict[str, str]:
        """The values that this phase's operations kept of their answers, by name."""
        return self.progress.kept

    def at_instance(self) -> "CaseContext":
        """Return this context with requests going to the second instance."""
        there = copy(self)
        there._sender, there._is_at_instance = self.instance.sender, True  # noqa: SLF001 (of the same class)
        return there

    def at_webhook(self, webhook: Webhook) -> "CaseContext":
        """Return this context for a target whose webhook is another one; its events stay as they are."""
        there = copy(self)
        there.target = replace(self.target, webhook=webhook)
        return there

    def at_path(self, path: str) -> "CaseContext":
        """Return this context for a target whose webhook is at another path."""
        return self.at_webhook(replace(self.target.webhook, path=path))

    async def send(self, request: Request) -> Exchange:
        """Send a request within the budget and at the target's pace.

        Raises:
            InconclusiveError: the budget of requests is spent, the target limits them for longer than a run may wait,
                or it is gone.
        """
        self._spend(request)
        pace, lifeline = self._shared.pace, self._shared.lifeline
        await pace.keep(self.clock)
        exchange = await self._send_once(request)
        while pace.note(exchange, self.clock, is_expected=self._expects_failure):
            await pace.keep(self.clock)
            exchange = await self._send_once(request)
        if lifeline.is_suspect(request, exchange) and not self._expects_silence:
            exchange = await self._send_again(request, exchange)
        self._note_answer(request, exchange)
        return exchange

    async def send_together(self, requests: Sequence[Request], *, with_instance: bool = False) -> Sequence[Exchange]:
        """Send requests as nearly at one time as can be, and show that the target is there afterwards.

        What its rate limit refuses is not sent again, as long as two of them got through: it would come alone.

        Raises:
            InconclusiveError: the budget of requests is spent, the target limits them to fewer than two at a time, or
                it is gone.
        """
        self._spend(*requests)
        pace = self._shared.pace
        await pace.keep(self.clock)
        other = self.instance.sender if with_instance else None
        exchanges = [
            self._count_calls(one) for one in await self._sender.send_together(requests, self.progress.step, other)
        ]
        limited = [one for one in exchanges if pace.is_limit(one, is_expected=self._expects_failure)]
        for exchange in limited[:1]:
            pace.note(exchange, self.clock, is_expected=self._expects_failure)
        if limited and len(exchanges) - len(limited) < _FEWEST_TOGETHER:
            raise InconclusiveError(Reason.RATE_LIMITED, pace.said)
        await self._take_answers(requests, exchanges)
        return exchanges

    async def send_many(self, requests: Sequence[Request], connections: int) -> Sequence[Exchange]:
        """Send requests as fast as the target answers over some connections, and return what came back, in order.

        Raises:
            InconclusiveError: the budget of requests is spent, the target limits how many it takes, or it is gone.
        """
        self._spend(*requests)
        pace = self._shared.pace
        await pace.keep(self.clock)
        waiting = iter(enumerate(requests))
        exchanges: dict[int, Exchange] = {}
        limited = False

        async def work() -> None:
            nonlocal limited
            for place, request in waiting:
                exchanges[place] = await self._send_once(request)
                limited = limited or pace.note(exchanges[place], self.clock, is_expected=self._expects_failure)
                if limited:
                    return

        await asyncio.gather(*(work() for _ in range(connections)))
        if limited:
            raise InconclusiveError(Reason.RATE_LIMITED, pace.said)
        answered = [exchanges[place] for place in range(len(requests))]
        await self._take_answers(requests, answered)
        return answered

    async def _take_answers(self, requests: Sequence[Request], exchanges: Sequence[Exchange]) -> None:
        """Take note of many answers; where one is missing, show that the target is there.

        Raises:
            TargetGoneError: it takes no genuine event any more.
        """
        for request, exchange in zip(requests, exchanges, strict=True):
            if isinstance(exchange.answer, NoAnswer) and not self._expects_silence:
                with self.clock.suspend_limit():
                    taken = next((one for one, back in zip(requests, exchanges, strict=True) if back.is_accepted), None)
                    await self._require_life(request, exchange, len(requests), taken)
                break
        for request, exchange in zip(requests, exchanges, strict=True):
            self._note_answer(request, exchange)

    @property
    def _expects_failure(self) -> bool:
        """Whether the target has a reason to be unavailable, which is then no limit of its own."""
        return self.outage.is_on or self.stripe.is_armed

    @property
    def _expects_silence(self) -> bool:
        """Whether the target has a reason to give no answer: it was taken its store, or was killed."""
        return self.outage.is_on or (self._is_at_instance and not self.instance.is_running)

    def _spend(self, *requests: Request) -> None:
        """Take requests from the budget.

        Raises:
            InconclusiveError: they are more than it allows.
        """
        if len(self.sent) + len(requests) > self.requests:
            raise InconclusiveError(Reason.BUDGET_SPENT, f"more than {self.requests} requests")
        self.progress.sent += requests

    def _note_answer(self, request: Request, exchange: Exchange) -> None:
        self._shared.lifeline.note(request, exchange)
        if exchange.is_accepted:
            self.progress.accepted += request.ids
            if request.ids:
                self._shared.turns.note_accepted(request.ids[0])

    async def _send_once(self, request: Request) -> Exchange:
        return self._count_calls(await self._sender.send(request, self.progress.step))

    def _count_calls(self, exchange: Exchange) -> Exchange:
        return exchange if self._upstream is None else replace(exchange, called=self._upstream.count_calls())

    async def _send_again(self, request: Request, lost: Exchange) -> Exchange:
        """Send a request that got no answer once more, where the target is there.

        Raises:
            TargetGoneError: it is not there any more.
            InconclusiveError: it answers genuine events, and closes connections on others.
        """
        lifeline, step = self._shared.lifeline, self.progress.step
        with self.clock.suspend_limit():
            if not await lifeline.is_there(step):
                await self._require_target(request, lost)
        if request.once:
            return lost
        exchange = await self._send_once(request)
        note = f"{exchange.sent.note}, sent again, as the target had closed the connection without an answer"
        return replace(exchange, sent=replace(exchange.sent, note=note))

    async def _require_target(self, request: Request, lost: Exchange) -> NoReturn:
        """Say whether the target is gone, or takes genuine events still."""
        assert isinstance(lost.answer, NoAnswer)
        if isinstance((await self._send_genuine()).answer, Answer):
            # What this one has changed must not be told of the case's own requests.
            raise InconclusiveError(lost.answer.reason, lost.answer.detail)
        culprit, detail = await self._shared.lifeline.find_end(request, lost, self._restart_target)
        raise TargetGoneError(detail, self._conceal(curl_line(self.target.url, culprit))[:_LONGEST_LINE])

    async def _require_life(self, request: Request, lost: Exchange, copies: int, taken: Request | None) -> None:
        """Return where the target still takes genuine events, after one of several copies has got no answer.

        It is asked by an event that it has ``taken``, where there is one: the effect of another would be counted.
        A target that answers, and yet has no connection to its store left, is as good as gone.

        Raises:
            TargetGoneError: it takes none any more.
        """
        sign = self._send_genuine() if taken is None else self._send_once(taken)
        if isinstance((await sign).answer, Answer):
            return
        lifeline = self._shared.lifeline
        back = await lifeline.bring_back(lost.step, lost.sent.note, self._restart_target)
        if isinstance((await self._send_genuine()).answer, NoAnswer):
            lifeline.gone, back = lost.sent.note, "it did not come back"
        told = f"{lost.sent.note} ({lost.sent.method} {lost.sent.url})"
        detail = (
            f"after {copies} deliveries at once, such as {told}, the target answered no genuine event any more; {back}"
        )
        raise TargetGoneError(detail, self._conceal(curl_line(self.target.url, request))[:_LONGEST_LINE])

    async def _send_genuine(self) -> Exchange:
        event = self.events.make_control()
        return await self._send_once(signed_request(self, event, event.encode(), note="is it there"))

    async def _restart_target(self) -> None:
        """Run the target's own command that brings it back, where the target file names one.

        Whether it is back is looked for all the same: a supervisor may have been quicker.
        """
        process = self.target.process
        if process is not None and process.restart:
            with suppress(InconclusiveError):
                await self._commands.run(
                    process.restart, folder=process.folder, environment=process.environment, seconds=process.seconds
                )

    def judge_alone(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Return what is wrong with an exchange by itself."""
        seen = Seen(self.target.contract, (exchange,), self.control)
        able = (check for check in self.expect if Channel.HTTP in check.channels and not check.patient)
        return tuple(finding for check in able for finding in check.judge(seen))
