from collections.abc import Mapping, Sequence
from types import MappingProxyType

from payproof.domain.made_event import MadeEvent
from payproof.domain.target import Target
from payproof.engine.context.clock import CaseClock
from payproof.engine.ports import EventSource
from payproof.engine.turns import ControlTurns

__all__ = ["CaseEvents"]

_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_IDS: Mapping[str, str] = MappingProxyType({})


class CaseEvents:
    """Makes Stripe events of the webhook's API version about the target's subject, with the phase's canaries in them.

    Each is distinct.
    """

    def __init__(
        self,
        source: EventSource,
        target: Target,
        turns: ControlTurns,
        clock: CaseClock,
        canaries: Mapping[str, str],
        key: str,
    ) -> None:
        self._source, self._target, self._turns = source, target, turns
        self._clock, self._canaries, self._key = clock, canaries, key
        self._made = 0

    @property
    def types(self) -> Sequence[str]:
        """Every type of event that there is in the webhook's API version."""
        return self._source.types(self._target.webhook.api_version)

    def make(self, type_: str, *, values: Mapping[str, object], ids: Mapping[str, str], age: int = 0) -> MadeEvent:
        """Make an event that is ``age`` seconds old."""
        self._made += 1
        hook = self._target.webhook
        return self._source.make(
            type_,
            api_version=hook.api_version,
            now=self._clock.now() - age,
            canaries=self._canaries,
            key=f"{self._key} {self._made}",
            livemode=hook.livemode,
            ids=ids,
            set=values,
            subject=self._target.subject,
        )

    def make_control(
        self, *, values: Mapping[str, object] = _NOTHING, ids: Mapping[str, str] = _NO_IDS, age: int = 0
    ) -> MadeEvent:
        """Make the control event whose turn it is, ``age`` seconds old."""
        present = self._turns.present
        event = self.make(present.event, values={**present.set, **values}, ids=ids, age=age)
        self._turns.note_made(event.id)
        return event
