from collections.abc import Sequence
from dataclasses import dataclass, field

from payproof.domain.request import Request

__all__ = ["PhaseProgress"]


@dataclass(slots=True)
class PhaseProgress:
    """How far a phase has come.

    ``step`` is the number of the running step, -1 before the first. ``accepted`` are the ids of requests that were
    answered with a success.
    """

    step: int = -1
    sent: list[Request] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> Sequence[str]:
        """Every made-up Stripe id that this phase has sent, and what its operations kept."""
        return [*(one for request in self.sent for one in request.ids), *self.kept.values()]
