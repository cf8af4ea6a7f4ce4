"""A target that a request has ended is started again by its own command, and the run goes on."""

from dataclasses import replace

from payproof.domain.observation import Answer, Exchange, NoAnswer, Sent
from payproof.domain.target import ProcessSpec
from payproof.errors import Reason
from tests.unit.test_trial import CASE, SCENARIO, Bench


class Mortal:
    """A target that a delivery without a signature ends, until somebody has started it again."""

    def __init__(self, bench, restarted):
        self.take, self.restarted, self.dead = bench.target.send, restarted, False

    async def send(self, request, step):
        unsigned = request.method == "POST" and not any(name == b"Stripe-Signature" for name, _ in request.headers)
        self.dead = (self.dead or unsigned) and not self.restarted.exists()
        if self.dead:
            answer = NoAnswer(Reason.UNREACHABLE, "closed", 0.1)
        elif request.method == "HEAD":
            answer = Answer(405, (), "", 0, 0.1)
        else:
            return await self.take(request, step)
        return Exchange(step, Sent(request.method, "https://t.example/hook", request.note, 0, ""), answer)


def stopped(folder, *restart):
    """Run a case in which the target ends; return why the case could not go on."""
    bench = Bench()
    mortal = Mortal(bench, folder / "restarted")
    bench.target.send = mortal.send
    spec = ProcessSpec(restart=restart, folder=str(folder))
    bench.runner.target = replace(bench.runner.target, process=spec)
    return bench.run(CASE, SCENARIO).stopped


def test_the_targets_own_command_brings_it_back(tmp_path):
    """The crash is told, and that the target is back."""
    reason, detail = stopped(tmp_path, "touch", "restarted")
    assert reason is Reason.CRASHED
    assert "it was back after" in detail


def test_without_such_a_command_it_is_waited_for(tmp_path):
    """Nobody starts it again: it does not come back in time. A command that fails changes nothing of that."""
    for restart in ((), ("no-such-command",)):
        reason, detail = stopped(tmp_path, *restart)
        assert reason is Reason.CRASHED
        assert "it did not come back" in detail
