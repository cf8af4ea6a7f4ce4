"""When Stripe delivers again what was not accepted, on a clock that runs faster than its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from payproof.domain.observation import Exchange
from payproof.domain.request import Request

__all__ = ["MOST_RETRIES", "RETRY_SECONDS", "Retries"]

_MINUTE, _HOUR = 60.0, 3600.0
#: Stripe's waits before it delivers once more: "up to three days with an exponential back off", and it publishes no
#: more of them than that (https://docs.stripe.com/webhooks#retries). These make 66 hours.
_WAITS = (5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, *(4 * (12 * _HOUR,)))
_SPEED = 10_000  # seconds of Stripe's in one of ours: its first wait takes 30 ms, and all together 24 s
#: How often an event comes again at most, and seconds of ours after which Stripe gives up.
MOST_RETRIES, RETRY_SECONDS = len(_WAITS), sum(_WAITS) / _SPEED


@dataclass(slots=True)
class Retries:
    """The deliveries that were not accepted, and when each comes again; times are a case's monotonic seconds."""

    _waiting: dict[str, tuple[float, Request]] = field(default_factory=dict)
    _tried: dict[str, int] = field(default_factory=dict)

    def note(self, requests: Sequence[Request], exchanges: Iterable[Exchange], now: float) -> None:
        """Take note of what came back for some deliveries: who refuses an event, or is gone, gets it again."""
        for request, exchange in zip(requests, exchanges, strict=True):
            event = request.ids[0]
            tried = self._tried[event] = self._tried.get(event, -1) + 1
            if exchange.is_accepted:
                self._waiting.pop(event, None)
            elif tried < MOST_RETRIES:
                self._waiting[event] = (now + _WAITS[tried] / _SPEED, request)

    def take_due(self, now: float) -> Sequence[Request]:
        """Take the deliveries out whose time has come, oldest first; each must be signed anew."""
        due = sorted((at, event) for event, (at, _) in self._waiting.items() if at <= now)
        return [self._waiting.pop(event)[1] for _, event in due]

    def find_wait(self, now: float) -> float | None:
        """Return how long it is until the next one is due; None where nothing waits."""
        return max(0.0, min(at for at, _ in self._waiting.values()) - now) if self._waiting else None
