"""The context that the steps of one phase get from the engine.

A ``CaseContext`` is made for each control and each case, with randomness and canaries of its own. It counts requests,
and delegates all else to one part for each thing that steps ask for: ``clock``, ``events``, ``canaries``, ``stripe``,
``at_rest``, ``retention``, ``outage``, ``instance``, ``memory``, ``entitlement``. The protocols in
``payproof.domain.context`` say what each part offers to steps. The parts share a ``Progress``: how far the phase has
come.
"""

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
from payproof.domain.target import Target
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
from payproof.engine.context.stripe import CaseStripe
from payproof.engine.equipment import Equipment
from payproof.engine.shared import Shared
from payproof.errors import InconclusiveError, Reason, TargetGoneError
from payproof.fuzzing.curl import curl_line
from payproof.stripe.deliveries import signed_request

__all__ = ["CaseContext"]

_SUCCESS = range(200, 300)
_LONGEST_LINE = 2000


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
        self.entitlement = CaseEntitlement(target, shared.stores, shared.patience, self.progress, self._conceal)

    @property
    def sent(self) -> Sequence[Request]:
        """The requests that this phase has sent so far, oldest first."""
        return self.progress.sent

    @property
    def kept(self) -> dict[str, str]:
        """The values that this phase's operations kept of their answers, by name."""
        return self.progress.kept

    def at_instance(self) -> "CaseContext":
        """Return this context with requests going to the second instance."""
        there = copy(self)
        there._sender = self.instance.sender  # noqa: SLF001 (of the same class)
        return there

    def at_path(self, path: str) -> "CaseContext":
        """Return this context for a target whose webhook is at another path."""
        there = copy(self)
        there.target = replace(self.target, webhook=replace(self.target.webhook, path=path))
        return there

    async def send(self, request: Request) -> Exchange:
        """Send a request within the budget and at the target's pace.

        Raises:
            InconclusiveError: the budget of requests is spent, the target limits them for longer than a run may wait,
                or it is gone.
        """
        if len(self.sent) >= self.requests:
            raise InconclusiveError(Reason.BUDGET_SPENT, f"more than {self.requests} requests")
        self.progress.sent.append(request)
        pace, lifeline = self._shared.pace, self._shared.lifeline
        await pace.keep(self.clock)
        exchange = await self._send_once(request)
        while pace.note(exchange, self.clock, is_expected=self.outage.is_on or self.stripe.is_armed):
            await pace.keep(self.clock)
            exchange = await self._send_once(request)
        if lifeline.is_suspect(request, exchange) and not self.outage.is_on:
            exchange = await self._send_again(request, exchange)
        lifeline.note(request, exchange)
        if isinstance(exchange.answer, Answer) and exchange.answer.status in _SUCCESS:
            self.progress.accepted += request.ids
            if request.ids:
                self._shared.turns.note_accepted(request.ids[0])
        return exchange

    async def _send_once(self, request: Request) -> Exchange:
        exchange = await self._sender.send(request, self.progress.step)
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
        event = self.events.make_control()
        genuine = signed_request(self, event, event.encode(), note="is it there")
        if isinstance((await self._send_once(genuine)).answer, Answer):
            # What this one has changed must not be told of the case's own requests.
            raise InconclusiveError(lost.answer.reason, lost.answer.detail)
        culprit, detail = await self._shared.lifeline.find_end(request, lost, self._restart_target)
        raise TargetGoneError(detail, self._conceal(curl_line(self.target.url, culprit))[:_LONGEST_LINE])

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
