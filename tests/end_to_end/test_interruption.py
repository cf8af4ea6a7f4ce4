import json
import os
import signal
import socket
from xml.etree import ElementTree as ET

import pytest

from payproof.adapters.scratch import scratch_folder
from tests.end_to_end import hostile
from tests.end_to_end.command import environment, target_file
from tests.end_to_end.hostile import Server
from tests.end_to_end.processes import PROC, begun, children, running
from tests.waiting import DEADLINE, until


@pytest.mark.parametrize(
    ("number", "ignored"),
    [(signal.SIGINT, ()), (signal.SIGTERM, ()), (signal.SIGHUP, ()), (signal.SIGTERM, (signal.SIGINT, signal.SIGHUP))],
)
def test_interrupted_run_has_footers(tmp_path, number, ignored):
    """Ctrl-C, SIGTERM of CI and a closed terminal end a run with code 2; each report says that cases did not run.

    SIGTERM does so too in the background of a script, where other signals are ignored.
    """

    def behave(peer, request):
        if len(server.requests) > 4:
            peer.wait()
        else:
            peer.send(hostile.answer(200 if b"v1=" in (request.header("Stripe-Signature") or b"") else 401))

    with Server(behave) as server:
        file = target_file(tmp_path, server.url, contract="answer_within = 30")
        jsonl, junit = tmp_path / "run.jsonl", tmp_path / "run.xml"
        with begun(
            *("run", "--target", file, "--scenario", "webhook_signature/expired"),
            *("--scenario", "webhook_signature/missing", "--report", jsonl, "--report", junit),
            ignored=ignored,
        ) as process:
            until(lambda: len(server.requests) > 4)
            process.send_signal(number)
            out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert err == b""
    assert b"Interrupted: the cases that did not run are unknown." in out
    header, *cases, footer = (json.loads(line) for line in jsonl.read_text().splitlines())
    assert (footer["event"], footer["exit_code"]) == ("run_finished", 2)
    assert len(cases) < header["cases"]
    root = ET.parse(junit).getroot()
    assert f"{header['cases'] - len(cases)} cases did not run" in [error.get("message") for error in root.iter("error")]


def test_interrupted_before_the_first_case(tmp_path):
    """Ctrl-C while the target does not answer the first delivery is one line, code 2 and no traceback."""
    with Server(hostile.never) as server:
        process = begun("run", "--target", target_file(tmp_path, server.url, contract="answer_within = 30"))
        with process:
            until(lambda: server.requests)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=DEADLINE)
    # The empty line before it ends the one on which the terminal shows ^C.
    assert (process.returncode, out, err.strip()) == (2, b"", b"payproof: interrupted")


def listening(process):
    """Return the ports of the loopback that a process listens on."""
    inodes = set()
    for one in (PROC / f"{process}/fd").iterdir():
        try:
            inodes.add(str(one.readlink()))
        except FileNotFoundError:
            continue
    rows = [line.split() for line in (PROC / "net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes]


@pytest.mark.skipif(not (PROC / "self/fd").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_stays_behind(tmp_path, number):
    """However the command dies, the reference service that it started ends within seconds; nothing keeps listening.

    Files stay only where it is killed, until the next run.
    """
    env = environment(TMPDIR=str(tmp_path))
    with begun("run", "--reference", "--topic", "webhook_signature", env=env) as process:
        (service,) = until(lambda: children(process.pid))
        # Before it becomes the service it is a copy of the command, with all that that one listens on.
        (port,) = until(lambda: found if len(found := listening(service)) == 1 else None)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as Ctrl-C in a terminal does: to the service too
        else:
            process.send_signal(number)
        process.communicate(timeout=DEADLINE)
        until(lambda: not running(service))
    assert process.returncode == (-number if number == signal.SIGKILL else 2)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 2):
        pass
    assert bool(list(tmp_path.iterdir())) is (number == signal.SIGKILL)
    with scratch_folder("service", str(tmp_path)):
        pass
    assert not list(tmp_path.iterdir())


def test_run_goes_on_without_its_terminal(tmp_path):
    """Under nohup a run is not ended by the terminal that is closed."""

    def behave(peer, request):
        peer.send(hostile.answer(200 if b"v1=" in (request.header("Stripe-Signature") or b"") else 401))
        if len(server.requests) == 1:
            process.send_signal(signal.SIGHUP)

    with Server(behave) as server:
        file = target_file(tmp_path, server.url)
        options = ("--scenario", "webhook_signature/missing[no_header]")
        with begun("run", "--target", file, *options, ignored=(signal.SIGHUP,)) as process:
            out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (0, b""), out


@pytest.mark.parametrize(
    "arguments", [("list",), ("events",), ("run", "--reference", "--scenario", "webhook_signature/missing")]
)
def test_reader_that_goes_away(arguments):
    """Output that nobody reads any more, as with `| head -1`, ends the command quietly, never as passed or broken."""
    with begun(*arguments) as process:
        process.stdout.close()
        err = process.stderr.read()
        process.wait(DEADLINE)
    assert (process.returncode, err) == (2, b"")
