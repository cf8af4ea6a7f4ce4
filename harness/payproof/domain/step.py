"""The family of steps: what a scenario does to the target.

A scenario lists steps under ``do``. The engine makes each step from the parameters of the scenario file, and runs the
steps of a phase one after another. Before a step it remembers the state of each source; after the step it looks into
each source. A step gets a ``Context`` and asks it for everything: requests, events, faults of Stripe, searches, time.
It returns what it saw, as observations. It judges nothing, opens no connection and keeps no state between runs.

A step is a frozen dataclass in ``payproof/steps/<name>.py``. Its fields are its parameters, and each has a default.
``@step`` of ``payproof.registry`` registers it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.target import Target
from payproof.domain.wants import Gap

__all__ = ["Step"]


class Step(ABC):
    """One action on the target; a frozen dataclass whose fields are its parameters."""

    __slots__ = ()

    #: The name in scenario files, which is also that of the step's file.
    name: ClassVar[str]
    #: Packages of the extra ``fuzz`` that the step needs; without them its case is skipped.
    packages: ClassVar[tuple[str, ...]] = ()

    #: Whether the step makes use of the target's OpenAPI document, where there is one.
    reads_openapi: ClassVar[bool] = False

    @property
    def requests(self) -> int:
        """Requests that the step may send beside those of the case's budget."""
        return 0

    @property
    def shows_rows(self) -> bool:
        """Whether checks are shown the rows that the step has left."""
        return False

    @property
    def seconds(self) -> float:
        """Seconds that the step may take beside those of the case's budget."""
        return 0.0

    @property
    def named_types(self) -> tuple[str, ...]:
        """The types of events that the step delivers because a scenario names them."""
        return ()

    def unfit(self, target: Target) -> Gap | None:  # noqa: ARG002 (for those that override it)
        """Return why the step makes no sense on a target, or nothing; with a reason its case is skipped."""
        return None

    @abstractmethod
    async def run(self, context: Context) -> Sequence[Observation]:
        """Act and return what was seen.

        Raises:
            InconclusiveError: the step cannot act, or cannot know what came of it; the case is then errored.
        """
