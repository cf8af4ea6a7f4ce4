"""For tests that users write: deliver an event, then say what must be true."""

from collections.abc import Mapping
from typing import Self

from harness.checks.accepted import Accepted
from harness.checks.applied import Applied
from harness.checks.no_disclosure import NoDisclosure
from harness.checks.not_stored import NotStored
from harness.checks.nothing_changed import NothingChanged
from harness.checks.rejected import Rejected
from harness.domain.contracts import Check, Seen, Step
from harness.domain.observation import Answer
from harness.session import Session
from harness.steps.deliver import Deliver
from harness.steps.replay import Replay

__all__ = ["Payproof"]

# pytest then shows the line of the user's test, not ours.
__tracebackhide__ = True


class Payproof:
    """Acts on the target as Stripe does; each expectation that does not hold raises AssertionError with the evidence.

    Deliveries are signed rightly unless ``signature`` names another way (``payproof signatures`` lists them).
    Expectations about the target's state speak of the last delivery.
    """

    def __init__(self, session: Session, key: str) -> None:
        self._session = session
        self._trial = session.trial(key)

    def deliver(
        self,
        event: str,
        *,
        signature: str = "valid",
        set: Mapping[str, object] | None = None,  # noqa: A002 (the word of the scenario files)
        **values: object,
    ) -> Self:
        """Deliver an event; keyword arguments and ``set`` (dotted paths) become values of the event's object.

        Raises:
            ConfigurationError: an unknown event type, path or signature.
        """
        return self._act(Deliver(event=event, signature=signature, set={**values, **(set or {})}))

    def replay(self) -> Self:
        """Deliver the last delivery's bytes again."""
        return self._act(Replay())

    def accepted(self) -> Self:
        """The last delivery was answered 2xx."""
        return self._expect(Accepted())

    def rejected(self) -> Self:
        """The last delivery was answered with a status that the contract lists as rejection."""
        return self._expect(Rejected())

    def applied(self) -> Self:
        """The last delivery had an effect in a store; waits for it as long as the contract says."""
        return self._expect(Applied())

    def nothing_changed(self) -> Self:
        """The last delivery changed no row of any store."""
        return self._expect(NothingChanged())

    def no_payment_data(self) -> Self:
        """Nothing of the event's personal data, its signature or a secret is in the answer, the logs or new rows."""
        return self._expect(NoDisclosure(), NotStored())

    @property
    def answer(self) -> Answer:
        """The target's last answer, with sensitive values replaced."""
        answer = self._seen().exchanges[-1].answer
        assert isinstance(answer, Answer), f"{answer.reason}: {answer.detail}"
        return answer

    def _act(self, step: Step) -> Self:
        self._session.act(self._trial, step)
        return self

    def _expect(self, *checks: Check) -> Self:
        self._session.look(self._trial, checks)
        seen = self._seen()
        present = {observation.channel for observation in seen.observations}
        for check in checks:
            blind = sorted(check.channels - present)
            assert not blind, f"{check.name}: the target file lists no {' and no '.join(blind)}"
            for finding in check.judge(seen):
                raise AssertionError(f"{check.name}: expected {finding.expected}, saw {finding.seen}")
        return self

    def _seen(self) -> Seen:
        """Return what belongs to the last delivery, as if it were the first step."""
        observations = self._trial.observations
        last = max((observation.step for observation in observations), default=None)
        assert last is not None, "deliver something first"
        return Seen(self._session.target.contract, observations).at(last)
