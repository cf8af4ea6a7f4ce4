"""Between a generator, which is synchronous and has a thread of its own, and the case's client."""

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

from payproof.domain.context import Context
from payproof.domain.finding import Finding
from payproof.domain.kind import OFFERED
from payproof.domain.observation import Answer, Exchange, NoAnswer
from payproof.domain.request import Request
from payproof.errors import InconclusiveError, Reason
from payproof.fuzzing.canaries import FuzzingCanaries
from payproof.fuzzing.curl import curl_line
from payproof.scan.luhn import is_valid

__all__ = ["RequestSearch"]

_ERROR = 400
_MOST_LOOKED_FOR = 30  # refused texts for each route
#: Statuses that say: not taken. Others may come after the target has begun to act, and has recorded that.
_NOT_TAKEN = frozenset({400, 401, 403, 405, 406, 411, 413, 414, 415, 422, 431})
#: Statuses that say: whoever asks so is not let in, or not now. What else is wrong with a request was not looked at.
#: Of a failure (500) something was asked that should not have failed, which is a finding and no doubt.
_KEPT_OUT = frozenset({401, 403, 407, 429, 502, 503, 504})
_SUCCESS = range(200, 300)
#: Headers that say back the Origin, methods and headers of the request, as the protocol has it (Fetch, 3.3.3).
_DIGITS = re.compile(rb"(?<![0-9])[0-9]{12,19}(?![0-9])")
_CORS = frozenset({"access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin"})
_SAFE = frozenset({"GET", "HEAD"})  # what was accepted once is to be accepted again


class RequestSearch:
    """Sends what a generator makes up, judges each answer at once, and keeps the smallest request of each finding.

    It ends when it has sent ``requests``, when ``seconds`` are over, or when the target does not answer any more.
    """

    def __init__(self, context: Context, *, requests: int, seconds: float) -> None:
        self.canaries = FuzzingCanaries.of(context.random)
        self.canaries.conceal(context.canaries.conceal)
        self.seed = context.random.getrandbits(32)
        self.over = self.fell_silent = False
        self._context, self._left = context, requests
        self._held = 0, 0.0
        self._until = self._turn = time.monotonic() + seconds
        self._loop = asyncio.get_running_loop()
        self._kept: list[Exchange] = []
        self._smallest: dict[tuple[str, str, str], Exchange] = {}
        self._refused: dict[str, list[str]] = defaultdict(list)
        self._asked: Counter[str] = Counter()
        self._let_in: dict[str, tuple[Request, int]] = {}
        self._last: dict[str, Exchange] = {}
        self._statuses: dict[str, set[int]] = defaultdict(set)

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """All exchanges with nothing wrong, then the smallest of each kind of finding."""
        worst = {id(exchange): exchange for exchange in self._smallest.values()}
        return (*self._kept, *worst.values())

    @property
    def left(self) -> int:
        """How many requests may still be sent."""
        return self._left

    @property
    def seconds_left(self) -> float:
        """How long requests may still be sent."""
        return self._until - time.monotonic()

    @property
    def found(self) -> frozenset[str]:
        """The routes with which something is wrong."""
        return frozenset(variant for variant, _, _ in self._smallest)

    def hold_back(self) -> None:
        """Keep a quarter of requests and time, for making what is found smaller."""
        self._held = self._left // 4, self.seconds_left / 4
        self._left -= self._held[0]
        self._until -= self._held[1]
        self._turn = self._until

    def release(self) -> None:
        """Let go of what was held back."""
        self._left += self._held[0]
        self._until += self._held[1]
        self._turn = self._until
        self.over = self.fell_silent

    def turn(self, left: int) -> None:
        """Begin the turn of the first of several routes that are left, each of which is to have its share of time."""
        now = time.monotonic()
        self._turn = now + (self._until - now) / left

    def count_requests(self, variant: str) -> int:
        """Return how many requests were made for a route."""
        return self._asked[variant]

    def require(self, variants: Iterable[str]) -> None:
        """Return only when each of these routes had its turn, or something was found, or the target fell silent.

        Raises:
            InconclusiveError: the search was over too early.
        """
        missing = [variant for variant in variants if not self._asked[variant]]
        if missing and self.over and not self.found and not self.fell_silent:
            detail = f"no time or requests were left for {len(missing)} routes, such as {missing[0]}"
            raise InconclusiveError(Reason.BUDGET_SPENT, detail)

    async def confirm(self, *, but: Container[str] = ()) -> None:
        """Ask each route once more as it was let in before; what is not let in now, or never was, is unknown.

        Requests that nobody lets in, as after a token has expired, fail at nothing and show nothing. ``but`` are the
        routes that the case's own control has shown. Where something was found, that stands.
        """
        if self.found or self.fell_silent:
            return
        for variant in sorted(self._last.keys() - {""}):
            if variant in but or not variant.partition(" ")[2].startswith("/"):
                continue  # requests that no route of the target's is asked by
            if (known := self._let_in.get(variant)) is None:
                told = ", ".join(map(str, sorted(self._statuses[variant])))
                self._doubt(self._last[variant], f"{variant} let no request in: it was answered {told}")
                continue
            request, before = known
            exchange = await self._exchange(request)
            if not isinstance(exchange.answer, Answer):
                self._kept.append(exchange)
            elif _worse(request, before, exchange.answer.status):
                seen = f"answered {before} before, and {exchange.answer.status} after the made-up requests"
                self._doubt(exchange, f"{variant} was {seen}")

    def _doubt(self, exchange: Exchange, detail: str) -> None:
        """Keep that an answer shows nothing: no finding, but no pass either."""
        self._kept.append(replace(exchange, answer=NoAnswer(Reason.CONTROL_FAILED, detail, exchange.answer.seconds)))

    def settle(self) -> None:
        """Let what refused requests held in their bodies be looked for in stores and logs."""
        self.over = True
        for where, tokens in self._refused.items():
            # Whether they are kept is a matter of the route, and not of each request.
            for token in tokens[:_MOST_LOOKED_FOR]:
                self._context.canaries.trace("refused text", f"text in a body that {where} refused", token.encode())

    def send(self, request: Request) -> tuple[Exchange, tuple[Finding, ...]] | None:
        """Send a request and judge its answer; None when the search is over. To be called from the generator's thread.

        A request ``wire`` is malformed on purpose: no answer to it is one, and is not told.
        """
        if self._left <= 0 or time.monotonic() > self._until:
            self.over = True
        if self.over or time.monotonic() > self._turn:
            return None
        self._left -= 1
        exchange = asyncio.run_coroutine_threadsafe(self._exchange(request), self._loop).result()
        findings = self._context.judge_alone(exchange)
        silent = isinstance(exchange.answer, NoAnswer)
        if silent and request.wire:
            return exchange, ()
        for finding in findings:
            kind = (exchange.sent.variant, finding.check, finding.seen)
            known = self._smallest.get(kind)
            if known is None or _size(exchange) <= _size(known):
                self._smallest[kind] = exchange
        if not findings:
            self._kept.append(exchange)
            self.over = self.fell_silent = silent
        return exchange, findings

    def _note(self, request: Request, exchange: Exchange, status: int) -> None:
        """Remember the first request that a route has accepted, or else let in."""
        variant = request.variant
        self._last[variant] = exchange
        self._statuses[variant].add(status)
        known = self._let_in.get(variant)
        if _is_let_in(status) and (known is None or (known[1] not in _SUCCESS and status in _SUCCESS)):
            self._let_in[variant] = request, status

    def _only_in_body(self, request: Request) -> bool:
        """Whether the text stands in the body and nowhere else; paths and queries are logged by many, and rightly."""
        text = self.canaries.text.encode()
        head, _, body = request.wire.partition(b"\r\n\r\n")
        elsewhere = (head, request.target.encode(), *(value for _, value in request.headers))
        return text in request.body + body and not any(text in part for part in elsewhere)

    async def _exchange(self, request: Request) -> Exchange:
        self._asked[request.variant] += 1
        serial = self._asked.total()
        named = _name_request(request, self.canaries, serial, first=serial == 1)
        named = replace(named, example=curl_line(self._context.target.url, named))
        for number in _find_chance_numbers(named):
            self._context.canaries.note_offered("card number", f"{OFFERED} a made-up request", number)
        exchange = await self._context.send(named)
        answer, token = exchange.answer, self.canaries.make_text(serial)
        if isinstance(answer, Answer) and not request.wire:
            self._note(request, exchange, answer.status)
        if not isinstance(answer, Answer) or answer.status < _ERROR:
            return exchange
        if answer.status in _NOT_TAKEN and self._only_in_body(request):
            self._refused[request.variant].append(token)
        said = ((name, value) for name, value in answer.headers if name.lower() not in _CORS)
        places = [f"header {name}" for name, value in said if token in value.lower()]
        if token in answer.body.lower():
            places.append("body")
        return replace(exchange, answer=replace(answer, echoes=tuple(places))) if places else exchange


def _is_let_in(status: int) -> bool:
    return status not in _KEPT_OUT


def _worse(request: Request, before: int, after: int) -> bool:
    """Whether an answer says less than the one to the same request before."""
    return not _is_let_in(after) or (request.method in _SAFE and before in _SUCCESS and after not in _SUCCESS)


def _name_request(request: Request, canaries: FuzzingCanaries, serial: int, *, first: bool) -> Request:
    """Return the request with the text that names it; the first one carries the id by which all effects are known."""
    old, new = canaries.text, canaries.make_text(serial)
    return replace(
        request,
        target=request.target.replace(old, new),
        headers=tuple((name, value.replace(old.encode(), new.encode())) for name, value in request.headers),
        body=request.body.replace(old.encode(), new.encode()),
        wire=request.wire.replace(old.encode(), new.encode()),
        ids=(canaries.tag,) if first else (),
    )


def _find_chance_numbers(request: Request) -> Iterator[bytes]:
    """Yield the digits of a made-up request that somebody who finds them in a log would take for a card number."""
    parts = (request.target.encode(), request.body, request.wire, *(value for _, value in request.headers))
    for part in parts:
        for run in _DIGITS.findall(part):
            if is_valid(run.decode()):
                yield run


def _size(exchange: Exchange) -> int:
    return exchange.sent.length + len(exchange.sent.example)
