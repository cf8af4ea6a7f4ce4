"""Delivers recorded events to a URL: at a rate, shuffled, some twice, signed with the user's secret."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.observation import Answer, Exchange, find_percentile
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.target import Target
from payproof.session.delivery import loose_target
from payproof.session.recorded_events import Disguise, count_events, read_events
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.forgery import SIGNATURE_HEADER
from payproof.stripe.signature import compose, hexdigest

__all__ = ["Playback", "Replayed", "replay_events"]

_SHUFFLED = 1000  # events among which the order is changed, so that a file of any length fits
_MOST_LATENCIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Playback:
    """How recorded events are delivered.

    At most ``rate`` a second, as fast as the target answers where that is 0; over some ``connections``. ``twice`` is
    the share of events that come a second time, with ``fresh_signatures`` each under one of its own, else the same
    bytes. ``shuffle`` changes the order among a thousand events each. ``seed`` decides on both.
    """

    rate: float = 0.0
    connections: int = 8
    twice: float = 0.0
    shuffle: bool = False
    fresh_signatures: bool = False
    seed: int = 0


@dataclass(slots=True)
class Replayed:
    """What came of a replay: how many deliveries of how many events, by answer; seconds of each answer, and in all."""

    events: int = 0
    deliveries: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """How many deliveries were answered 2xx."""
        return sum(times for answer, times in self.answers.items() if answer[:1] == "2")

    def find_percentile(self, percent: int) -> float:
        """Return within how many seconds so many of a hundred answers came."""
        return find_percentile(sorted(self.latencies), percent)


def replay_events(
    path: Path,
    url: str,
    how: Playback,
    *,
    secret: Secret,
    ca_file: str | None = None,
    answer_within: float = 10.0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Replayed:
    """Deliver the events of a file, without anybody's data, to a URL; ``progress`` hears how many of how many are done.

    Raises:
        ConfigurationError: the file holds what is no event, with the place; nothing was sent. Or no such URL.
    """
    target = loose_target(url, secret=secret, ca_file=ca_file, answer_within=answer_within)
    total = count_events(path)
    ledger = Ledger()
    ledger.add("secret", secret.label, secret.reveal().encode(), lasting=True)
    deliveries = _list_deliveries(path, target, how)
    return asyncio.run(_deliver(target, ledger, deliveries, how, lambda done: progress(done, total)))


def _list_deliveries(path: Path, target: Target, how: Playback) -> Iterator[tuple[Request, bool]]:
    """Yield the requests in the order in which they are sent, and whether each is the first of its event."""
    random = Random(how.seed)
    disguise = Disguise(secrets.token_bytes(16))
    events = read_events(path)
    while block := list(islice(events, _SHUFFLED)):
        yield from _arrange(list(zip(block, disguise.encode(block), strict=True)), target, how, random)


def _arrange(
    block: list[tuple[Mapping[str, object], bytes]], target: Target, how: Playback, random: Random
) -> Iterator[tuple[Request, bool]]:
    twice = [one for one in block if random.random() < how.twice]
    order = [(one, True) for one in block]
    for one in twice:
        order.insert(random.randrange(len(order) + 1), (one, False))
    if how.shuffle:
        random.shuffle(order)
    signed: dict[bytes, Request] = {}
    met: set[bytes] = set()
    for (event, body), _ in order:
        if how.fresh_signatures or body not in signed:
            signed[body] = _sign(event, body, target)
        yield signed[body], body not in met
        met.add(body)


def _sign(event: Mapping[str, object], body: bytes, target: Target) -> Request:
    now = int(time.time())
    digest = hexdigest(body, target.webhook.secret.reveal(), now)
    header = (SIGNATURE_HEADER, compose(now, [digest]).encode())
    note = f"{event['type']} ({event['id']})"
    return Request("POST", target.webhook.path, (*STRIPE_HEADERS, header), body, note, ids=(str(event["id"]),))


async def _deliver(
    target: Target,
    ledger: Ledger,
    deliveries: Iterator[tuple[Request, bool]],
    how: Playback,
    progress: Callable[[int], None],
) -> Replayed:
    replayed = Replayed()
    sender = HttpSender(target, ledger)
    started = time.perf_counter()

    async def work() -> None:
        for request, is_first in deliveries:
            number = replayed.deliveries
            replayed.deliveries += 1
            replayed.events += is_first
            if how.rate:
                await asyncio.sleep(max(0.0, started + number / how.rate - time.perf_counter()))
            _note(replayed, await sender.send(request, 0))
            progress(replayed.events)

    try:
        await asyncio.gather(*(work() for _ in range(how.connections)))
    finally:
        replayed.seconds = time.perf_counter() - started
        await sender.close()
    return replayed


def _note(replayed: Replayed, exchange: Exchange) -> None:
    answer = exchange.answer
    told = str(answer.status) if isinstance(answer, Answer) else answer.reason.value
    replayed.answers[told] += 1
    if isinstance(answer, Answer) and len(replayed.latencies) < _MOST_LATENCIES:
        replayed.latencies.append(answer.seconds)
    if not exchange.is_accepted and len(replayed.refused) < _SHUFFLED:
        replayed.refused.append(f"{exchange.sent.note}: {told}")
