"""Several reference services side by side are one run to whoever reads it."""

import json
import os
import signal

import pytest

from payproof.canary import Ledger
from payproof.errors import PayproofError
from payproof.session import all_scenarios, choose, open_lanes
from tests.end_to_end.command import environment, payproof, payproof_here, target_file
from tests.end_to_end.processes import PROC, begun, children, running
from tests.waiting import DEADLINE, until

SOME = ("--scenario", "webhook_signature/missing", "--scenario", "webhook_signature/expired")


def verdicts(*options, record):
    """Run some cases with one seed; return what the record says of each, in its order."""
    ended = payproof(
        "run", "--reference", *SOME, "--seed", 5, "--report", record, *options, env=environment(), seconds=100
    )
    assert ended.code == 0, ended.err
    header, *cases, footer = (json.loads(line) for line in record.read_text().splitlines())
    assert (header["cases"], footer["exit_code"]) == (len(cases), 0)
    return [(case["id"], case["verdict"]["kind"]) for case in cases]


@pytest.mark.thorough
def test_lanes_tell_the_same_as_one(tmp_path):
    """Cases, order and verdicts are those of a run with one lane."""
    alone = verdicts(record=tmp_path / "alone.jsonl")
    assert alone
    assert verdicts("--lanes", 2, record=tmp_path / "lanes.jsonl") == alone


def test_values_of_each_lane_are_looked_for_in_the_output():
    """The ledger by which the whole output is searched in the end has what each lane has registered."""
    choices = choose(all_scenarios(), ids=["webhook_signature/missing"])
    with open_lanes(2, seed=5, operations=False, fuzzing=False) as lanes:
        events = list(lanes.run(choices))
    assert len(events) == 2 * len(choices) + 3  # and a header, what was found, and a footer
    assert len(lanes.ledger.registered) > len(choices)
    assert lanes.ledger.holds_none([Ledger.__doc__.encode()])


def test_lanes_are_for_the_reference_service(tmp_path):
    """One target has one Stripe and one database: lanes on a target of one's own are refused in one line."""
    ended = payproof_here("run", "--target", target_file(tmp_path, "https://billing.example"), "--lanes", 2)
    assert ended.code == 4
    assert "--lanes is for the reference service" in ended.line


def test_a_lane_that_does_not_start_is_told(monkeypatch, tmp_path):
    """What keeps a service from starting is one line, as it is without lanes."""
    monkeypatch.setenv("PAYPROOF_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(PayproofError), open_lanes(2, store="postgresql", operations=False, fuzzing=False):
        pass


def family(process):
    """Return the processes that a process has started, and those that they have."""
    direct = children(process)
    return [*direct, *(one for child in direct for one in family(child))]


@pytest.mark.thorough
@pytest.mark.skipif(not (PROC / "self/fd").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_lane_stays_behind(number):
    """However the command dies, lanes and services end within seconds."""
    with begun("run", "--reference", "--topic", "webhook_signature", "--lanes", "2") as process:
        until(lambda: len([one for one in family(process.pid) if b"payproof_reference" in command_of(one)]) >= 2)
        started = family(process.pid)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        process.communicate(timeout=DEADLINE)
        until(lambda: not any(running(one) for one in started))
    assert process.returncode == (-number if number == signal.SIGKILL else 2)


@pytest.mark.skipif(not (PROC / "self/fd").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("begins", [1, 2, 3])
def test_interrupted_while_lanes_start(begins):
    """Ctrl-C in a terminal, which each process of the group gets, is one line, whatever has just begun to start."""
    with begun("run", "--reference", "--topic", "webhook_signature", "--lanes", "3") as process:
        until(lambda: len(children(process.pid)) > begins)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)
    said = b"payproof: interrupted before the first case: nothing was judged, and no report is written"
    assert (process.returncode, out, err.strip()) == (2, b"", said)


def command_of(process):
    """Return a process's command line."""
    try:
        return (PROC / f"{process}/cmdline").read_bytes()
    except OSError:
        return b""
