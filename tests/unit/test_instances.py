"""A second instance of the target is started rightly and wrongly, and is gone afterwards whatever happens."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from payproof.adapters.instances import LocalInstances
from payproof.canary import Ledger
from payproof.checks.accepted import Accepted
from payproof.checks.applied import Applied
from payproof.checks.not_started_or_rejected import NotStartedOrRejected
from payproof.domain.check import Expectation
from payproof.domain.observation import Answer, Exchange, Sent
from payproof.domain.scenario import Phase
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Environment, ProcessSpec, Target, Webhook
from payproof.domain.verdict import Failed, Passed, Skipped
from payproof.engine.judge import judge
from payproof.engine.ports import InstanceStart
from payproof.errors import InconclusiveError, Reason
from payproof.steps.deliver_to_instance import DeliverToInstance
from payproof.steps.start_instance import StartInstance
from tests.unit.test_trial import CASE, SCENARIO, Bench
from tests.waiting import until

SECRET = "whsec_" + "instance" * 3
#: Listens at the port of its argument; writes its environment, and its process id when it has told of it.
PROGRAM = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

json.dump(dict(os.environ), open("environment.json", "w"))
if not os.environ.get("HOOK"):
    sys.exit(f"HOOK is missing; KEY is {os.environ.get('KEY')}")

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if os.path.exists("ready") else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()
        open("ready", "w").close()

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
open("pid", "w").write(str(os.getpid()))
server.serve_forever()
"""
SPEC = ProcessSpec(
    (sys.executable, "-c", PROGRAM, "{port}"),
    environment={"AT": "here:{port}", "URL": "postgresql" + "://billing:" + "hunter2xyz" + "@db/b"},
    seconds=30,
    port_variable="PORT",
    secret_variable="HOOK",
    api_key_variable="KEY",
)
KILLED = """
import asyncio, os, signal, sys
from payproof.adapters.instances import LocalInstances
from payproof.canary import Ledger
from tests.unit.test_instances import target

asyncio.run(LocalInstances(target({folder!r}), Ledger()).start("", None))
os.kill(os.getpid(), signal.{signal})
"""


def target(folder, **changes):
    """Return a target whose instances run in a folder."""
    return Target(
        "t",
        "http://127.0.0.1:1",
        Environment.LOCAL,
        Webhook("/hook", Secret("webhook secret", SECRET), "2022-11-15"),
        api_key=Secret("Stripe API key", "sk_" + "test_" + "a1" * 8),
        process=replace(SPEC, folder=str(folder), **changes),
    )


def started(folder, setting="", value=None, *, look=lambda _: None, **changes):
    """Start an instance and stop it; return how it came up."""
    ledger = Ledger()
    described = target(folder, **changes)
    for secret in described.secrets:
        ledger.add("secret", secret.label, secret.reveal().encode(), lasting=True)

    async def both():
        instances = LocalInstances(described, ledger)
        try:
            got = await instances.start(setting, value)
            look(instances)
        finally:
            await instances.stop()
        return got

    return asyncio.run(both())


def is_gone(folder):
    """Whether the instance has ended."""
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)
    return True


def environment_of(folder):
    """Return the environment that an instance found."""
    return json.loads((folder / "environment.json").read_text())


def test_an_instance_gets_what_it_should_and_nothing_else(tmp_path, monkeypatch):
    """It listens at its port with the target's secret and key, and is gone when it was stopped."""
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", SECRET)
    seen = []
    got = started(tmp_path, look=lambda instances: seen.append(instances.sender))
    assert (got.status, got.exposures) == (None, ())
    assert seen[0] is not None
    given = environment_of(tmp_path)
    assert given["HOOK"] == SECRET
    assert given["KEY"].startswith("sk_test_")
    assert given["AT"] == f"here:{given['PORT']}"
    assert "STRIPE_WEBHOOK_SECRET" not in given
    assert is_gone(tmp_path)


@pytest.mark.parametrize(("value", "given"), [(None, None), ("", ""), ("  ", "  ")])
def test_a_setting_is_missing_or_of_another_value(tmp_path, value, given):
    """A variable is not set at all, or is set to the value, blank ones included; the others stay right."""
    started(tmp_path, "secret", value)
    assert environment_of(tmp_path).get("HOOK") == given
    assert environment_of(tmp_path)["KEY"].startswith("sk_test_")


def test_an_instance_that_refuses_to_start_tells_its_status_and_last_words(tmp_path):
    """Its status and lines are told, with secrets replaced, and with what they were."""
    got = started(tmp_path, "secret", None)
    assert got.status == 1
    assert got.said == ("HOOK is missing; KEY is [secret: Stripe API key]",)
    assert [one.label for one in got.exposures] == ["Stripe API key"]


def test_what_an_instance_says_is_masked(tmp_path):
    """A password that the run does not know of is not shown either."""
    script = "import os, sys; sys.exit('cannot reach ' + os.environ['URL'])"
    got = started(tmp_path, "secret", None, start=(sys.executable, "-c", script))
    assert "hunter2xyz" not in got.said[0]


def test_an_instance_is_ready_when_its_path_says_so(tmp_path):
    """With `ready` an answer below 500 is waited for."""
    started(tmp_path, ready="/health")
    assert (tmp_path / "ready").exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-command",), "no-such-command cannot be started: No such file"),
        (
            ("sh", "-c", "echo one; echo two >&2; sleep 60"),
            r"neither listened at port \d+ nor ended within 0.5 s: one \| two",
        ),
    ],
)
def test_an_instance_that_does_not_come_up_is_told(tmp_path, command, said):
    """What cannot be started, or neither listens nor ends, is unknown and no refusal."""
    with pytest.raises(InconclusiveError, match=said) as caught:
        started(tmp_path, start=command, seconds=0.5)
    assert caught.value.reason is Reason.COMMAND_FAILED


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
def test_an_instance_ends_when_the_harness_is_killed(tmp_path, number):
    """Nothing can catch SIGKILL; the instance is gone all the same."""
    code = KILLED.format(folder=str(tmp_path), signal=number)
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode == -getattr(signal, number), ended.stderr
    until(lambda: not _runs(int((tmp_path / "pid").read_text())))


def test_what_an_instance_has_started_ends_with_it(tmp_path):
    """Workers of an instance are not left behind."""
    start = ("sh", "-c", f'sleep 600 & echo $! > child; exec {sys.executable} -c "$0" $1', PROGRAM, "{port}")
    started(tmp_path, start=start)
    until(lambda: not _runs(int((tmp_path / "child").read_text())))


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Of a process that has ended and that nobody has asked about, the number is still taken.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return not state.startswith("Z") and bool(state.strip())


class FakeShop:
    """An instance in memory, which takes genuine deliveries, and forgeries where it is wrong."""

    def __init__(self, target, *, wrong):
        self.target, self.wrong = target, wrong

    async def send(self, request, step):
        taken = self.wrong or request.variant == "valid"
        if taken:
            self.target.due.append((self.target.clock.now, request.ids[0]))
        sent = Sent("POST", "https://t.example/hook", request.note, 0, "", request.variant)
        return Exchange(step, sent, Answer(200 if taken else 401, (), "", 0, 0.01))


class FakeInstances:
    """Instances in memory: without their secret they end with a status, or listen."""

    def __init__(self, target, status=None):
        self.sender, self.status, self.told = None, status, []
        self._target = target

    async def start(self, setting, value):
        self.told.append(f"start {setting} {value}".strip())
        status = self.status if setting else None
        self.sender = self._target if status is None else None
        return InstanceStart(status, 0.5, ("a line",))

    async def stop(self):
        self.told.append("stop")


def run_wrongly(status, *, wrong=False):
    """Run a case that starts an instance without its secret; return the verdict and what was done."""
    scenario = replace(
        SCENARIO, control=Phase((StartInstance(), DeliverToInstance()), (Accepted(), Expectation(Applied(), 1)))
    )
    steps = (
        StartInstance(setting="secret", value="missing"),
        DeliverToInstance(signatures=("missing", "guessable_secret.empty")),
        DeliverToInstance(),
    )
    case = replace(CASE, phase=Phase(steps, (NotStartedOrRejected(),)))
    bench = Bench()
    instances = FakeInstances(FakeShop(bench.target, wrong=wrong), status)
    bench.runner._equipment = replace(bench.runner._equipment, instances=instances)
    record = asyncio.run(bench.runner.run(scenario, case))
    return judge(Contract(), scenario, case, record), instances.told


def test_an_instance_that_ends_has_refused():
    """Nothing is delivered then, and the case is judged by the end alone."""
    verdict, told = run_wrongly(78)
    assert isinstance(verdict, Passed)
    assert told == ["start  None", "start secret None", "stop"]


def test_an_instance_that_takes_forgeries_fails():
    """A forgery that has an effect is a finding, which names it and the place."""
    verdict, _ = run_wrongly(None, wrong=True)
    assert isinstance(verdict, Failed)
    assert "took missing.no_header and 2 more; memory, table events" in verdict.findings[0].seen


def test_an_instance_that_has_the_secret_from_elsewhere_is_not_judged():
    """It refuses forgeries and takes a genuine delivery: nothing was tried out."""
    verdict, _ = run_wrongly(None)
    assert isinstance(verdict, Skipped)
    assert "knows the right one" in verdict.why


def test_an_interrupted_case_stops_the_instance():
    """Ctrl-C ends a case by cancelling it; the instance ends with it."""
    stopped = []

    async def interrupted(*_rest):
        stopped.append(True)
        raise asyncio.CancelledError

    bench = Bench()
    instances = FakeInstances(bench.target)
    bench.runner._equipment = replace(bench.runner._equipment, instances=instances)
    bench.target.send = interrupted
    case = replace(CASE, phase=Phase((StartInstance(), DeliverToInstance()), (NotStartedOrRejected(),)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(bench.runner.run(replace(SCENARIO, control=None), case))
    assert stopped
    assert instances.told == ["start  None", "stop"]


def test_wrong_values_are_refused():
    """A scenario that names a value that there is not is refused with the nearest one."""
    with pytest.raises(ValueError, match="did you mean 'prefix_dots'"):
        StartInstance(setting="secret", value="prefix_dot")
    with pytest.raises(ValueError, match="no value 'live' of secret"):
        StartInstance(setting="secret", value="live")
    with pytest.raises(ValueError, match="there is no forgery"):
        DeliverToInstance(signatures=("missing", "misssing.no_header"))
