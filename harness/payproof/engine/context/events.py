from collections.abc import Mapping, Sequence
from random import Random
from string import ascii_letters, digits
from types import MappingProxyType

from payproof.domain.made_event import MadeEvent
from payproof.domain.subject import Subject
from payproof.domain.target import Target
from payproof.engine.context.clock import CaseClock
from payproof.engine.ports import EventSource
from payproof.engine.turns import ControlTurns

__all__ = ["CaseEvents"]

_NOTHING: Mapping[str, object] = MappingProxyType({})
_ID_LENGTH = 12  # of an id's end, which tells one from another
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
        self._last: MadeEvent | None = None

    @property
    def types(self) -> Sequence[str]:
        """Every type of event that there is in the webhook's API version."""
        return self._source.types(self._target.webhook.api_version)

    def make(
        self,
        type_: str,
        *,
        values: Mapping[str, object],
        ids: Mapping[str, str],
        age: int = 0,
        api_version: str = "",
        of_stranger: bool = False,
    ) -> MadeEvent:
        """Make an event that is ``age`` seconds old."""
        self._made += 1
        hook = self._target.webhook
        self._last = self._source.make(
            type_,
            api_version=api_version or hook.api_version,
            now=self._clock.now() - age,
            canaries=self._canaries,
            key=f"{self._key} {self._made}",
            livemode=hook.livemode,
            ids=ids,
            set=values,
            subject=Subject() if of_stranger else self._target.subject,
        )
        return self._last

    def make_again(self) -> MadeEvent:
        """Make an event of another id that tells the same as the one that was made last."""
        assert self._last is not None, "a step that tells something again comes after one that has told it"
        self._made += 1
        random = Random(f"{self._key} {self._made}")
        beginning = self._last.id[:-_ID_LENGTH]
        return self._last.told_again(beginning + "".join(random.choices(ascii_letters + digits, k=_ID_LENGTH)))

    def make_control(
        self,
        *,
        values: Mapping[str, object] = _NOTHING,
        ids: Mapping[str, str] = _NO_IDS,
        age: int = 0,
        of_stranger: bool = False,
    ) -> MadeEvent:
        """Make the control event whose turn it is, ``age`` seconds old."""
        present = self._turns.present
        values = {**present.set, **values}
        event = self.make(present.event, values=values, ids=ids, age=age, of_stranger=of_stranger)
        self._turns.note_made(event.id)
        return event
