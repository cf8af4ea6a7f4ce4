from collections.abc import Mapping, Sequence

from payproof.domain.made_event import MadeEvent
from payproof.domain.target import Webhook
from payproof.engine.context.clock import CaseClock
from payproof.engine.ports import EventSource

__all__ = ["CaseEvents"]


class CaseEvents:
    """Makes Stripe events of the webhook's API version, each distinct, with the phase's canaries in them."""

    def __init__(
        self, source: EventSource, webhook: Webhook, clock: CaseClock, canaries: Mapping[str, str], key: str
    ) -> None:
        self._source, self._webhook, self._clock, self._canaries, self._key = source, webhook, clock, canaries, key
        self._made = 0

    @property
    def types(self) -> Sequence[str]:
        """Every type of event that there is in the webhook's API version."""
        return self._source.types(self._webhook.api_version)

    def make(self, type_: str, *, values: Mapping[str, object], ids: Mapping[str, str], age: int = 0) -> MadeEvent:
        """Make an event that is ``age`` seconds old."""
        self._made += 1
        return self._source.make(
            type_,
            api_version=self._webhook.api_version,
            now=self._clock.now() - age,
            canaries=self._canaries,
            key=f"{self._key} {self._made}",
            livemode=self._webhook.livemode,
            ids=ids,
            set=values,
        )
