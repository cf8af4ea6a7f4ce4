"""What all cases of a run share beside its equipment: it follows the target's state from case to case."""

from dataclasses import dataclass

from payproof.engine.lifeline import Lifeline
from payproof.engine.pace import Pace
from payproof.engine.turns import ControlTurns

__all__ = ["Shared"]


@dataclass(frozen=True, slots=True)
class Shared:
    """Whose turn it is among the control events, how soon the target may be asked again, and whether it is there."""

    turns: ControlTurns
    pace: Pace
    lifeline: Lifeline
