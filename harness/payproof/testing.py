"""For tests that users write: deliver an event, then say what must be true.

What is not true raises AssertionError. What cannot be known raises InconclusiveError with the reason: no answer came, a
source cannot be read or is the wrong one, a channel is waived or not listed, the target refuses genuine deliveries too.
"""

from collections.abc import Mapping
from typing import Self, assert_never

from payproof.checks.accepted import Accepted
from payproof.checks.applied import Applied
from payproof.checks.no_disclosure import NoDisclosure
from payproof.checks.not_stored import NotStored
from payproof.checks.nothing_changed import NothingChanged
from payproof.checks.rejected import Rejected
from payproof.domain.check import Check
from payproof.domain.observation import Answer
from payproof.domain.step import Step
from payproof.domain.verdict import Errored, Failed, Passed, Skipped
from payproof.errors import ConfigurationError, InconclusiveError, PayproofError, Reason
from payproof.reporters.phrasing import printable
from payproof.session import OwnTest, Session
from payproof.steps.deliver import Deliver
from payproof.steps.replay import Replay

__all__ = ["InconclusiveError", "Payproof"]

# pytest then shows the line of the user's test, not ours.
__tracebackhide__ = True


class Payproof:
    """Acts on the target as Stripe does; each expectation that does not hold raises AssertionError with the evidence.

    One that cannot be judged raises InconclusiveError with the reason, which is never a pass. Deliveries are signed
    rightly unless ``signature`` names another way (``payproof signatures`` lists them). Expectations speak of the last
    delivery. A channel that the target file waives is left out of ``no_payment_data``, which is judged by the others.
    """

    def __init__(self, session: Session, key: str) -> None:
        self._test = OwnTest(session, key)

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
        try:
            step = Deliver(event=event, signature=signature, set={**values, **(set or {})})
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        return self._act(step)

    def replay(self) -> Self:
        """Deliver the last delivery's bytes again.

        Raises:
            InconclusiveError: nothing was delivered yet.
        """
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
        """The target's last answer, with sensitive values replaced.

        Raises:
            InconclusiveError: there is none.
        """
        try:
            return self._test.answer
        except PayproofError as error:
            raise error.with_traceback(None) from None

    def _act(self, step: Step) -> Self:
        try:
            self._test.act(step)
        except InconclusiveError as error:
            if error.reason is Reason.CRASHED:
                raise AssertionError(printable(error.detail)) from None
            raise error.with_traceback(None) from None
        except PayproofError as error:
            # Whoever shows a traceback's locals would show what was signed, and with what.
            raise error.with_traceback(None) from None
        return self

    def _expect(self, *checks: Check) -> Self:
        try:
            verdict = self._test.judge(*checks)
        except PayproofError as error:
            raise error.with_traceback(None) from None
        match verdict:
            case Passed():
                return self
            case Failed(findings=findings):
                told = [f"{one.check}: expected {one.expected}, saw {one.seen}" for one in findings]
                raise AssertionError("\n".join(map(printable, told)))
            case Errored(reason=reason, detail=detail):
                raise InconclusiveError(reason, detail)
            case Skipped(why=why):
                raise InconclusiveError(Reason.NOT_JUDGED, why)
            case _:
                assert_never(verdict)
