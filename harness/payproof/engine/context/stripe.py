from collections.abc import Sequence
from random import Random

from payproof.domain.made_event import MadeEvent
from payproof.domain.operation import Trouble
from payproof.engine.context.canaries import CaseCanaries
from payproof.engine.ports import Upstream
from payproof.errors import InconclusiveError, Reason

__all__ = ["CaseStripe"]


class CaseStripe:
    """The Stripe API as the target sees it in one phase; it ``is_armed`` while faults may strike."""

    def __init__(self, upstream: Upstream | None, random: Random, canaries: CaseCanaries) -> None:
        self._upstream, self._random, self._canaries = upstream, random, canaries
        self._caused: list[MadeEvent] = []
        self.is_armed = False

    @property
    def elsewhere(self) -> str:
        """The base of a URL at which nobody has a reason to call."""
        assert self._upstream is not None, "a scenario that leads elsewhere needs upstream"
        return self._upstream.elsewhere

    def arm(self, *troubles: Trouble) -> None:
        """Let these faults strike the target's calls to Stripe from now on, and no others.

        Raises:
            InconclusiveError: the target calls another Stripe than the harness's.
        """
        if self._upstream is None:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, "there is none")
        self.is_armed = bool(troubles)
        self._upstream.arm(troubles, self._random, self._canaries.conceal)

    def know(self, event: MadeEvent) -> None:
        """Have Stripe know what a delivered event tells, so that the target can ask for it."""
        if self._upstream is not None:
            self._upstream.take_in(event)

    def caused_events(self) -> Sequence[MadeEvent]:
        """Return the webhook events of what was done at Stripe in this phase so far."""
        if self._upstream is not None:
            self._caused += self._upstream.take_caused_events()
        return self._caused
