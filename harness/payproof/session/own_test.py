"""One test that a user writes: acts on an open target step by step, and has what was seen judged as a scenario is."""

from payproof.checks.accepted import Accepted
from payproof.checks.applied import Applied
from payproof.domain.check import Check
from payproof.domain.events import Record
from payproof.domain.observation import Answer, Exchange, NoAnswer, Observation
from payproof.domain.scenario import Phase
from payproof.domain.seen import Seen
from payproof.domain.step import Step
from payproof.domain.verdict import Verdict
from payproof.engine.judge import judge_phase
from payproof.errors import InconclusiveError, Reason
from payproof.session.run import Session
from payproof.steps.deliver import Deliver
from payproof.steps.replay import Replay

__all__ = ["OwnTest"]

#: Expectations that show by themselves that the target listens; all others prove nothing of one that refuses all.
_POSITIVE = (Accepted, Applied)
_CONTROL = Phase((Deliver(),), (Accepted(),))


class OwnTest:
    """Steps of one test and the judging of the last one; ``key`` is what its randomness and its canaries come from.

    Raises:
        ConfigurationError: the target is production, where nothing is delivered.
    """

    def __init__(self, session: Session, key: str) -> None:
        self._session, self._trial = session, session.trial(key)

    def act(self, step: Step) -> None:
        """Run one step.

        Raises:
            ConfigurationError: the step asks for what there is not.
            InconclusiveError: a source cannot be read, the budget of requests is spent, or there is nothing to replay.
        """
        if isinstance(step, Replay):
            self._require_delivery()
        self._session.act(self._trial, step)

    def judge(self, *expect: Check) -> Verdict:
        """Look into every source, waiting for what the checks wait for, and judge what belongs to the last step.

        Raises:
            InconclusiveError: a source cannot be read, or nothing was delivered yet.
        """
        self._require_delivery()
        self._session.look(self._trial, expect)
        record = Record(self._control(), self._last_step().observations, self._session.unwatched)
        control = None if all(isinstance(check, _POSITIVE) for check in expect) else _CONTROL
        return judge_phase(self._session.target.contract, Phase((), expect), record, control)

    @property
    def answer(self) -> Answer:
        """The answer to the last step.

        Raises:
            InconclusiveError: there is none.
        """
        self._require_delivery()
        answers = [one.answer for one in self._last_step().exchanges]
        if not answers:
            raise InconclusiveError(Reason.NOT_JUDGED, "nothing was sent")
        if isinstance(answers[-1], NoAnswer):
            raise InconclusiveError(answers[-1].reason, answers[-1].detail)
        return answers[-1]

    def _require_delivery(self) -> None:
        if not self._trial.context.sent:
            raise InconclusiveError(Reason.NOT_JUDGED, "nothing was delivered yet: deliver something first")

    def _last_step(self) -> Seen:
        """Return what belongs to the last step, as if it were the first; one that broke off has shown nothing."""
        return Seen(self._session.target.contract, self._trial.observations).at(self._trial.context.progress.step)

    def _control(self) -> tuple[Observation, ...]:
        """Return what shows that the target listens: an earlier delivery of this test, else the session's marker."""
        for one in self._trial.observations:
            if (
                isinstance(one, Exchange)
                and one.step < self._trial.context.progress.step
                and one.sent.variant == "valid"
            ):
                accepted = one.is_accepted
                if accepted:
                    return (one,)
        return self._session.marker
