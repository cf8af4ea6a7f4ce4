"""A target that a request has ended is started again by its own command, the request is told, and the run goes on."""

import asyncio
from dataclasses import replace

import pytest

from payproof.domain.observation import Answer, Exchange, NoAnswer, Sent
from payproof.domain.request import Request
from payproof.domain.target import ProcessSpec
from payproof.engine.lifeline import Lifeline
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


class Supervised:
    """A target that some requests end, at once or after their answers, and that its supervisor starts again."""

    def __init__(self, *, at_once=(), later=()):
        self.at_once, self.later, self.is_dead, self.now = at_once, later, False, 0.0

    async def send(self, request, step):
        self.is_dead = self.is_dead or request.note in self.at_once
        answer = NoAnswer(Reason.UNREACHABLE, "closed", 0.0) if self.is_dead else Answer(200, (), "", 0, 0.0)
        self.is_dead = self.is_dead or request.note in self.later
        return Exchange(step, Sent(request.method, "https://t.example/hook", request.note, 0, ""), answer)

    async def restart(self):
        self.is_dead = False

    def monotonic(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(
    ("at_once", "later", "blamed", "told"),
    [
        ({"second"}, set(), "second", "no answer came to second (POST https://t.example/hook), and then to nothing"),
        (set(), {"first"}, "first", "after its answer to first (POST https://t.example/hook) the target answered no"),
        (set(), {"second"}, "second", "no answer came to second"),
        (set(), set(), "second", "it was back after 0.0 s; sent again, it is answered"),
    ],
)
def test_what_has_ended_the_target_is_told(at_once, later, blamed, told):
    """A request that ends the target after its answer is told, and not the next one, which got none."""
    target = Supervised(at_once=at_once, later=later)
    lifeline = Lifeline(target, target, "/hook", 1.0)

    async def play():
        first, second = (Request("POST", "/hook", (), b"", note) for note in ("first", "second"))
        lifeline.note(first, await target.send(first, 0))
        target.is_dead = True
        return await lifeline.find_end(second, await target.send(second, 0), target.restart)

    culprit, detail = asyncio.run(play())
    assert culprit.note == blamed
    assert told in detail
    assert not lifeline.gone
