"""What was learnt of a target before the first case: how it reacts to genuine events, and how each source shows it."""

from dataclasses import dataclass, field
from typing import Literal

from payproof.domain.observation import Channel

__all__ = ["Calibration", "Reaction", "SourceMark"]

_SUCCESS = range(200, 300)
_REFUSAL = range(400, 500)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one genuine event of a type has led to.

    ``status`` is None where no answer came. ``tables`` (``store.table``) have changed, ``logs`` gained lines, ``calls``
    went to Stripe; ``seconds`` is when the last change had been seen.
    """

    event: str
    status: int | None
    tables: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_accepted(self) -> bool:
        """Whether the target took the event."""
        return self.status in _SUCCESS

    @property
    def is_refused(self) -> bool:
        """Whether the target refused the event, without failing at it."""
        return self.status in _REFUSAL

    @property
    def is_handled(self) -> bool:
        """Whether a store shows an effect of the event."""
        return self.is_accepted and bool(self.tables)


@dataclass(frozen=True, slots=True)
class SourceMark:
    """How a source shows that it is the right one: by ids of what was delivered, or by moving with deliveries.

    Some logs move with refused deliveries only.
    """

    channel: Channel
    source: str
    shown_by: Literal["ids", "changes", "refusals", ""]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the target reacts, as far as it was tried.

    ``unclear`` are types of which it is not known whether an effect came of them. ``journals`` are tables
    (``store.table``) that gain a row of every delivery, of refused ones and of mere rubbish too.
    """

    reactions: tuple[Reaction, ...] = ()
    unclear: frozenset[str] = field(default_factory=frozenset)
    marks: tuple[SourceMark, ...] = ()
    journals: tuple[str, ...] = ()

    def of(self, event: str) -> Reaction | None:
        """Return the reaction to a type of event, if it was tried."""
        return next((one for one in self.reactions if one.event == event), None)

    @property
    def handled(self) -> tuple[str, ...]:
        """The types that have had an effect in a store."""
        return tuple(one.event for one in self.reactions if one.is_handled)

    def journals_of(self, store: str) -> tuple[str, ...]:
        """Return the tables of a store that are journals."""
        return tuple(one.removeprefix(f"{store}.") for one in self.journals if one.startswith(f"{store}."))

    @property
    def recording(self) -> frozenset[str]:
        """The tables that change with every type that has an effect: where the target keeps a record of all events."""
        effects = [frozenset(one.tables) for one in self.reactions if one.is_handled]
        return frozenset.intersection(*effects) if len(effects) > 1 else frozenset()
