from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar
from urllib.parse import urlsplit

from payproof.domain.check import Check
from payproof.domain.detector import Detector, Hit
from payproof.domain.exposures import finding_of_exposure
from payproof.domain.finding import Confidence, Finding
from payproof.domain.kind import Kind, name_kind
from payproof.domain.observation import Answer, Channel, Exchange
from payproof.domain.seen import Seen
from payproof.domain.sensitive import Exposure
from payproof.domain.spots import ALL_ANSWERS, spot_of_answer
from payproof.registry import check, detectors

__all__ = ["PAYERS_OWN", "NoDisclosure"]

#: What the run's ledger calls what Stripe makes for the payer to know, and for nobody else.
PAYERS_OWN = "client secret of a payment"

#: What the server or the framework shows at all routes; a framework's validation says back what is invalid anywhere.
_OF_ALL_ROUTES = frozenset({Kind.DEBUG_PAGE, Kind.ECHO, Kind.ENVIRONMENT, Kind.SERVER_VERSION})

_SUCCESS = range(200, 300)
_ERROR = 400
_MOST_EVIDENCE = 200
_SHORT = 4096  # bytes of a text whose hits are remembered: a target gives the same short answer many times


@check
@dataclass(frozen=True, slots=True)
class NoDisclosure(Check):
    """No answer holds a secret, a signature or personal data, and no answer shows internals.

    Internals are what the detectors find. What the control's good answers show too, in their headers or on the same
    route, is no disclosure by error, and neither is what the request named itself. A good answer is judged by what is
    surely internal; what is so by its looks only counts where the target refuses or fails.
    """

    name: ClassVar[str] = "no_disclosure"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True
    rule: ClassVar[str] = "error_handling/disclosure"
    watches: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each value, and for each kind of thing that a detector finds in an answer."""
        good = tuple(_good(seen))
        for exchange in seen.exchanges:
            answer = exchange.answer
            if isinstance(answer, Answer):
                # The payer gets the client secret of the payment: that is its purpose.
                paying = exchange.sent.calls or (exchange.sent.example and answer.status in _SUCCESS)
                told = (one for one in answer.exposures if not (paying and one.label == PAYERS_OWN))
                yield from self._exposures(exchange, answer, told)
                yield from self._internals(exchange, answer, good)

    def _exposures(self, exchange: Exchange, answer: Answer, exposures: Iterable[Exposure]) -> Iterator[Finding]:
        for exposure in exposures:
            kind = name_kind(exposure.kind, exposure.label)
            if kind is Kind.TYPED_DATA and answer.status >= _ERROR:
                kind = Kind.ECHO  # it names the cause: the error holds what was sent
            yield finding_of_exposure(
                self.name,
                exposure,
                "the answer",
                exchange.step,
                spot_of_answer(exchange),
                kind=kind,
                evidence=exchange.example,
            )

    def _internals(self, exchange: Exchange, answer: Answer, good: tuple[Exchange, ...]) -> Iterator[Finding]:
        route = _route(exchange)
        heads = [_head(one.answer) for one in good if isinstance(one.answer, Answer)]
        bodies = [one.answer.body.encode() for one in good if isinstance(one.answer, Answer) and _route(one) == route]
        for text, usual in ((_head(answer), heads), (answer.body.encode(), bodies)):
            for detector in detectors().values():
                by_error = detector.by_error
                told = set[str]()
                for hit in _hits(detector, text):
                    shown = text[hit.start : hit.end]
                    if hit.what in told or hit.confidence is Confidence.LOW:
                        continue
                    if by_error and (
                        _mild(hit, answer)
                        or shown in exchange.sent.url.encode()
                        or any(_shows(one, detector, hit.what, shown) for one in usual)
                    ):
                        continue
                    told.add(hit.what)
                    # What another detector finds may be sensitive itself.
                    evidence = ((_evidence(text, hit),) if by_error else ()) + exchange.example
                    yield Finding(
                        self.name,
                        "no internals shown",
                        hit.what,
                        exchange.step,
                        hit.confidence,
                        evidence,
                        what=hit.what,
                        kind=(kind := name_kind(detector.name)),
                        spot=ALL_ANSWERS if kind in _OF_ALL_ROUTES else spot_of_answer(exchange),
                    )


def _hits(detector: Detector, text: bytes) -> Sequence[Hit]:
    return _find_in_short(detector.name, text) if len(text) <= _SHORT else tuple(detector.find(text))


@lru_cache(maxsize=8192)
def _find_in_short(name: str, text: bytes) -> Sequence[Hit]:
    return tuple(detectors()[name].find(text))


def _good(seen: Seen) -> Iterator[Exchange]:
    for one in seen.control:
        if isinstance(one, Exchange) and one.is_accepted:
            yield one


def _route(exchange: Exchange) -> tuple[str, str]:
    return exchange.sent.method, urlsplit(exchange.sent.url).path


def _head(answer: Answer) -> bytes:
    return "\n".join(f"{name}: {value}" for name, value in answer.headers).encode()


def _mild(hit: Hit, answer: Answer) -> bool:
    return hit.confidence is Confidence.MEDIUM and answer.status in _SUCCESS


def _shows(good: bytes, detector: Detector, what: str, shown: bytes) -> bool:
    return shown in good and any(
        hit.what == what and good[hit.start : hit.end] == shown for hit in _hits(detector, good)
    )


def _evidence(text: bytes, hit: Hit) -> str:
    """Return what was found with a little before it; nothing after it, where the value of a variable may stand."""
    return text[max(0, hit.start - 40) : min(hit.end, hit.start + _MOST_EVIDENCE)].decode("utf-8", "replace")
