from collections.abc import Mapping, Sequence
from random import Random

from harness.canary import Ledger, make_canaries
from harness.domain.contracts import Check, MadeEvent, Request, Seen
from harness.domain.finding import Finding
from harness.domain.observation import Channel, Exchange, Observation
from harness.domain.operation import Trouble
from harness.domain.target import Target
from harness.engine.ports import Clock, EventSource, Sender, Upstream
from harness.errors import InconclusiveError, Reason

__all__ = ["CaseContext"]

_EARLY = 0.5


class CaseContext:
    """What one phase's steps may touch; counts requests, and knows which step is running."""

    def __init__(
        self,
        target: Target,
        *,
        sender: Sender,
        events: EventSource,
        ledger: Ledger,
        clock: Clock,
        key: str,
        seed: int,
        upstream: Upstream | None = None,
    ) -> None:
        self.target = target
        self.random = Random(f"{seed} {key}")
        self.sent: list[Request] = []
        self.kept: dict[str, str] = {}
        self.step = -1  # no step has run yet
        self.requests = target.budget.case_requests
        self.expect: tuple[Check, ...] = ()
        self.control: tuple[Observation, ...] = ()
        self._sender = sender
        self._source = events
        self._ledger = ledger
        self._clock = clock
        self._upstream = upstream
        self._key = key
        self._made = 0
        self._canaries = make_canaries(self.random)
        for kind, value in self._canaries.items():
            self.conceal(kind, f"canary {kind}", value.encode())

    @property
    def ids(self) -> Sequence[str]:
        """Every made-up Stripe id that this phase has sent, and what its operations kept."""
        return [*(one for request in self.sent for one in request.ids), *self.kept.values()]

    def events(self, type_: str, *, values: Mapping[str, object], ids: Mapping[str, str]) -> MadeEvent:
        """Make an event of the webhook's API version with this case's canaries."""
        hook = self.target.webhook
        self._made += 1
        return self._source.make(
            type_,
            api_version=hook.api_version,
            now=self.now(),
            canaries=self._canaries,
            key=f"{self._key} {self._made}",
            livemode=hook.livemode,
            ids=ids,
            set=values,
        )

    def now(self) -> int:
        """Return the time in Unix seconds."""
        return int(self._clock.time())

    async def early_in_second(self) -> None:
        """Wait, where needed, until most of the current second is still to come."""
        passed = self._clock.time() % 1
        if passed > _EARLY:
            await self._clock.sleep(1 - passed)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._clock.sleep(seconds)

    def arm(self, *troubles: Trouble) -> None:
        """Let these faults strike the target's calls to Stripe from now on, and no others."""
        if self._upstream is None:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, "there is none")
        self._upstream.arm(troubles, self.random, self.conceal)

    def conceal(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear nowhere."""
        self._ledger.add(kind, label, value)

    async def send(self, request: Request) -> Exchange:
        """Send a request within the budget."""
        if len(self.sent) >= self.requests:
            raise InconclusiveError(Reason.BUDGET_SPENT, f"more than {self.requests} requests")
        self.sent.append(request)
        return await self._sender.send(request, self.step)

    def weigh(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Return what is wrong with an exchange by itself."""
        seen = Seen(self.target.contract, (exchange,), self.control)
        able = (check for check in self.expect if Channel.HTTP in check.channels and not check.patient)
        return tuple(finding for check in able for finding in check.judge(seen))
