import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Literal

from payproof.aside import GRACE, aside
from payproof.canary import Ledger, make_canaries, spellings
from payproof.domain.check import Check, Expectation
from payproof.domain.detector import Hit
from payproof.domain.finding import Finding
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Answer, Channel, Exchange, Observation, Purged
from payproof.domain.operation import Trouble
from payproof.domain.request import Request
from payproof.domain.seen import Seen
from payproof.domain.target import Target, Value
from payproof.engine.holdings import Holdings, Wanted, finder
from payproof.engine.ports import Clock, Commands, EventSource, Outages, Sender, Upstream, Writer
from payproof.engine.watching import Watch
from payproof.errors import InconclusiveError, Reason
from payproof.scan.canaries import Canary
from payproof.scan.scanner import Scanner

__all__ = ["CaseContext"]

_DAY = 24 * 3600
_EARLY = 0.5
_SUCCESS = range(200, 300)


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
        holdings: Holdings,
        commands: Commands,
        outages: Outages,
        writer: Writer | None,
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
        self.expect: tuple[Check | Expectation, ...] = ()
        self.control: tuple[Observation, ...] = ()
        self._sender = sender
        self._source = events
        self._ledger = ledger
        self._clock = clock
        self._holdings = holdings
        self._commands = commands
        self._outages = outages
        self._upstream = upstream
        self._writer = writer
        self._key = key
        self._made = 0
        self._accepted: list[str] = []
        self._caused: list[MadeEvent] = []
        self._offered: list[Canary] = []
        self._veil: tuple[int, Scanner] | None = None
        self._watch = Watch()
        #: When the case's time is over; a search moves it on.
        self.limit: asyncio.Timeout | None = None
        self._canaries = make_canaries(self.random)
        for kind, value in self._canaries.items():
            self.conceal(kind, f"canary {kind}", value.encode())

    @property
    def ids(self) -> Sequence[str]:
        """Every made-up Stripe id that this phase has sent, and what its operations kept."""
        return [*(one for request in self.sent for one in request.ids), *self.kept.values()]

    @property
    def event_types(self) -> Sequence[str]:
        """Every type of event that there is in the webhook's API version."""
        return self._source.types(self.target.webhook.api_version)

    def events(self, type_: str, *, values: Mapping[str, object], ids: Mapping[str, str], age: int = 0) -> MadeEvent:
        """Make an event of the webhook's API version with this case's canaries, ``age`` seconds old."""
        hook = self.target.webhook
        self._made += 1
        return self._source.make(
            type_,
            api_version=hook.api_version,
            now=self.now() - age,
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

    def caused(self) -> Sequence[MadeEvent]:
        """Return the webhook events of what was done at Stripe in this phase so far."""
        if self._upstream is not None:
            self._caused += self._upstream.caused()
        return self._caused

    def conceal(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear nowhere."""
        self._ledger.add(kind, label, value)

    def trace(self, kind: str, label: str, value: bytes) -> None:
        """Register a text of the run's own that must stand in nothing from now on, though the run's report tells it."""
        self._ledger.add(kind, label, value, harmless=True)

    def canary(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear nowhere, and look for it in every search of this phase."""
        for form in spellings(value):
            self.conceal(kind, label, form)
        self._offered.append(Canary(kind, label, value))

    def veiled(self, text: bytes) -> bytes:
        """Return a text with every canary of this phase replaced, also where it is encoded.

        What is recorded of a log must hold none, and the ledger knows them only as they are written.
        """
        if not self._offered:
            return text
        if self._veil is None or self._veil[0] != len(self._offered):
            self._veil = len(self._offered), finder(self._offered)
        hits = [one for one in self._veil[1].scan(text) if isinstance(one, Hit)]
        for hit in sorted(hits, key=lambda one: one.start, reverse=True):
            text = text[: hit.start] + hit.shown.encode() + text[hit.end :]
        return text

    def watch(self, attribute: str, which: int, forms: Iterable[str], *, whole: bool = True) -> None:
        """Have ``count`` count a value by column."""
        self._watch.add(attribute, which, forms, whole=whole)

    async def search(self, places: Iterable[Channel], *, patterns: bool) -> Sequence[Observation]:
        """Search all stores, logs or files.

        Raises:
            InconclusiveError: a source cannot be read, or held the search longer than the budget allows.
        """
        marks = self._accepted if self.sent else None
        wanted = Wanted(None if patterns else self._offered, marks)
        return await self._read_through(lambda: self._holdings.search(self.step, places, wanted))

    async def count(
        self, moment: Literal["before", "after", "early", "purged"], about: str = ""
    ) -> Sequence[Observation]:
        """Count by column, in all stores, the values that are watched; ``about`` is the table that it is done for.

        Raises:
            InconclusiveError: a store cannot be read, or not in the time that the budget allows.
        """
        return await self._read_through(lambda: self._holdings.count(self.step, self._watch, moment, about))

    async def columns(self) -> Sequence[Observation]:
        """Look which columns of all stores could hold payment data.

        Raises:
            InconclusiveError: a store cannot be read.
        """
        return await self._read_through(lambda: self._holdings.columns(self.step))

    async def _read_through(self, work: Callable[[], Sequence[Observation]]) -> Sequence[Observation]:
        """Read through what the target holds, and break that off where it hangs."""
        seconds = self.target.budget.search_seconds
        with self._apart():
            self._holdings.begin()
            try:
                return await aside(work, interrupt=self._holdings.interrupt, seconds=seconds)
            except TimeoutError:
                detail = f"a source has not let go {GRACE:g} s after the {seconds:g} s of search_seconds of [budget]"
                raise InconclusiveError(Reason.BUDGET_SPENT, detail) from None

    def write(self, table: str, values: Mapping[str, Value]) -> None:
        """Write a row into the target's database.

        Raises:
            InconclusiveError: it cannot be written.
        """
        assert self._writer is not None, "a scenario that writes rows needs what writes them"
        self._writer.insert(table, values)

    async def purge(self, later: float = 0) -> Observation:
        """Run the target's own purge, as if it were so many days later.

        Raises:
            InconclusiveError: it cannot be started, or did not end in time.
        """
        spec = self.target.retention
        assert spec is not None, "a scenario that purges needs retention"
        started = self._clock.monotonic()
        command = spec.purge
        if later:
            ahead = int(later * _DAY)
            stands_for = {"{seconds}": str(ahead), "{time}": str(self.now() + ahead)}
            command = tuple(_filled(word, stands_for) for word in spec.purge_at)
        status = await self._commands.run(
            command, folder=spec.folder, environment=spec.environment, seconds=spec.seconds
        )
        return Purged(self.step, status, self._clock.monotonic() - started, later)

    @property
    def store_is_down(self) -> bool:
        """Whether stores cannot be looked into now."""
        return self._outages.is_down

    async def take_store_down(self) -> None:
        """Let the target's store refuse until the phase ends or it is brought back.

        Raises:
            InconclusiveError: it was not taken down in time.
        """
        with self._apart():
            await self._outages.begin()

    async def bring_store_back(self) -> None:
        """Let the target's store work again.

        Raises:
            InconclusiveError: it was not brought back in time.
        """
        with self._apart():
            await self._outages.end()

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Take a time out of the case's budget: what takes it has one of its own."""
        started = self._clock.monotonic()
        ends = None if self.limit is None or self.limit.expired() else self.limit.when()
        if self.limit is not None and ends is not None:
            self.limit.reschedule(None)
        try:
            yield
        finally:
            if self.limit is not None and ends is not None:
                self.limit.reschedule(ends + self._clock.monotonic() - started)

    async def send(self, request: Request) -> Exchange:
        """Send a request within the budget."""
        if len(self.sent) >= self.requests:
            raise InconclusiveError(Reason.BUDGET_SPENT, f"more than {self.requests} requests")
        self.sent.append(request)
        exchange = await self._sender.send(request, self.step)
        if self._upstream is not None:
            exchange = replace(exchange, called=len(self._upstream.calls(0)))
        if isinstance(exchange.answer, Answer) and exchange.answer.status in _SUCCESS:
            self._accepted += request.ids
        return exchange

    def weigh(self, exchange: Exchange) -> tuple[Finding, ...]:
        """Return what is wrong with an exchange by itself."""
        seen = Seen(self.target.contract, (exchange,), self.control)
        able = (check for check in self.expect if Channel.HTTP in check.channels and not check.patient)
        return tuple(finding for check in able for finding in check.judge(seen))


def _filled(word: str, stands_for: Mapping[str, str]) -> str:
    for placeholder, text in stands_for.items():
        word = word.replace(placeholder, text)
    return word
