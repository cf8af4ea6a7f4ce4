"""What all cases of a run share beside its equipment: it follows the target's state from case to case."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from payproof.domain.source import Store
from payproof.engine.lifeline import Lifeline
from payproof.engine.pace import Pace
from payproof.engine.patience import Patience
from payproof.engine.turns import ControlTurns

__all__ = ["Shared"]


@dataclass(frozen=True, slots=True)
class Shared:
    """Whose turn it is among the control events, how soon the target may be asked again, and whether it is there.

    ``stores`` are the open ones of the target, and ``patience`` knows how long effects took to show.
    """

    turns: ControlTurns
    pace: Pace
    lifeline: Lifeline
    stores: Sequence[Store] = ()
    patience: Patience = field(default_factory=Patience)
