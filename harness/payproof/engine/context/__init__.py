"""The context that the steps of one phase get from the engine.

A ``CaseContext`` is made for each control and each case, with randomness and canaries of its own. It counts requests,
and delegates all else to one part for each thing that steps ask for: ``clock``, ``events``, ``canaries``, ``stripe``,
``at_rest``, ``retention``, ``outage``. The protocols in ``payproof.domain.context`` say what each part offers to steps.
The parts share a ``Progress``: how far the phase has come.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from payproof.canary import make_canaries
from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel, Exchange, Observation
from payproof.domain.request import Request
from payproof.domain.seen import Seen
from payproof.domain.target import Target
from payproof.engine.context.canaries import CaseCanaries
from payproof.engine.context.clock import CaseClock
from payproof.engine.context.events import CaseEvents
from payproof.engine.context.outage import CaseOutage
from payproof.engine.context.progress import PhaseProgress
from payproof.engine.context.retention import CaseRetention
from payproof.engine.context.search import CaseSearch
from payproof.engine.context.stripe import CaseStripe
from payproof.engine.equipment import Equipment
from payproof.errors import InconclusiveError, Reason

__all__ = ["CaseContext"]

_SUCCESS = range(200, 300)


class CaseContext:
    """All that the steps of one phase may touch.

    ``requests`` are the requests that the phase may send. ``expect`` and ``control`` are what an exchange is judged by
    alone.

    Args:
        target: the billing system under test.
        equipment: what the run has for all cases.
        key: names the phase; with ``seed``, the run's, it decides on all randomness.
        seed: the run's.
    """

    def __init__(self, target: Target, equipment: Equipment, *, key: str, seed: int) -> None:
        self.target = target
        self.random = Random(f"{seed} {key}")
        self.progress = PhaseProgress()
        self.requests = target.budget.case_requests
        self.expect: tuple[Check | Expectation, ...] = ()
        self.control: tuple[Observation, ...] = ()
        self._sender, self._upstream = equipment.sender, equipment.upstream
        values = make_canaries(self.random)
        self.clock = CaseClock(equipment.clock)
        self.canaries = CaseCanaries(equipment.ledger, values)
        self.events = CaseEvents(equipment.events, target.webhook, self.clock, values, key)
        self.stripe = CaseStripe(equipment.upstream, self.random, self.canaries)
        self.at_rest = CaseSearch(equipment.at_rest, target.budget, self.progress, self.clock, self.canaries)
        self.retention = CaseRetention(
            equipment.commands, equipment.writer, target.retention, self.progress, self.clock
        )
        self.outage = CaseOutage(equipment.outages, self.clock)

    @property
    def sent(self) -> Sequence[Request]:
        """The requests that this phase has sent so far, oldest first."""
        return self.progress.sent

    @property
    def kept(self) -> dict[str, str]:
        """The values that this phase's operations kept of their answers, by name."""
        return self.progress.kept

    async def send(self, request: Request) -> Exchange:
        """Send a request within the budget.

        Raises:
            InconclusiveError: the budget of requests is spent.
        """
        if len(self.sent) >= self.requests:
            raise InconclusiveError(Reason.BUDGET_SPENT, f"more than {self.requests} requests")
        self.progress.sent.append(request)
        exchange = await self._sender.send(request, self.progress.step)
        if self._upstream is not None:
            exchange = replace(exchange, called=self._upstream.count_calls())
        if isinstance(exchange.answer, Answer) and exchange.answer.status in _SUCCESS:
            self.progress.accepted += request.ids
        return exchange

    def judge_alone(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Return what is wrong with an exchange by itself."""
        seen = Seen(self.target.contract, (exchange,), self.control)
        able = (check for check in self.expect if Channel.HTTP in check.channels and not check.patient)
        return tuple(finding for check in able for finding in check.judge(seen))
