import json
import os
import signal
import socket
from xml.etree import ElementTree as ET

import pytest

from payproof.adapters.scratch import scratch_folder
from payproof.cli import run_commands
from payproof.domain.events import CaseFinished, CaseStarted, RunFinished, RunStarted
from tests.end_to_end import hostile
from tests.end_to_end.command import environment, payproof_here, target_file
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
    said = b"payproof: interrupted before the first case: nothing was judged, and no report is written"
    assert (process.returncode, out, err.strip()) == (2, b"", said)


def verifying(peer, request):
    """Take what has any signature."""
    peer.send(hostile.answer(200 if b"v1=" in (request.header("Stripe-Signature") or b"") else 401))


@pytest.mark.thorough
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("number", [1, 2, 4, 9, 15])
def test_interrupted_at_any_moment(tmp_path, number, times):
    """Whenever Ctrl-C comes, and however often, the code is 2, one line is told, and each report is whole."""

    def behave(peer, request):
        is_reached = len(server.requests) == number  # before the answer, which the next request may follow at once
        verifying(peer, request)
        if is_reached:
            for _ in range(times):
                process.send_signal(signal.SIGINT)

    with Server(behave) as server:
        jsonl, junit = tmp_path / "run.jsonl", tmp_path / "run.xml"
        options = ("--topic", "webhook_signature", "--report", jsonl, "--report", junit)
        with begun("run", "--target", target_file(tmp_path, server.url), *options) as process:
            out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2, out
    assert err.strip() in {b"", b"payproof: interrupted"} or err.startswith(b"\npayproof: interrupted before"), err
    assert jsonl.exists() is junit.exists() is (b"Interrupted: the cases that did not run" in out)
    if jsonl.exists():
        header, *cases, footer = (json.loads(line) for line in jsonl.read_text().splitlines())
        assert footer["unrun"] == header["cases"] - len(cases) > 0
        assert ET.parse(junit).getroot().find("testsuite[@name='payproof']//error") is not None
        assert payproof_here("judge", jsonl).code == 2


class _Interrupting:
    """Gets a signal while it is told of an event of one type for the first time."""

    def __init__(self, moment):
        self._moment, self.told = moment, []

    def handle(self, event):
        if isinstance(event, self._moment) and not any(isinstance(one, self._moment) for one in self.told):
            os.kill(os.getpid(), signal.SIGINT)
        self.told.append(event)

    def close(self):
        self.told.append("closed")


@pytest.mark.parametrize(
    ("moment", "judged", "code"),
    [(RunStarted, 0, 2), (CaseStarted, 0, 2), (CaseFinished, 1, 2), (RunFinished, 2, 0)],
)
def test_interrupted_while_it_is_told(tmp_path, monkeypatch, moment, judged, code):
    """Ctrl-C while a report is written leaves it whole: the next case ends the run, and what is complete stays so."""
    reports = []

    def opened(_path):
        reports.append(_Interrupting(moment))
        return reports[-1]

    monkeypatch.setattr(run_commands, "open_report", opened)
    monkeypatch.setattr(run_commands, "mask_report", lambda _path, _mask: ())
    with Server(verifying) as server:
        file = target_file(tmp_path, server.url)
        ended = payproof_here("run", "--target", file, "--scenario", "webhook_signature/missing", "--report", "x.jsonl")
    assert (ended.code, ended.err) == (code, "")
    *_, footer, closed = reports[0].told
    assert closed == "closed"
    assert sum(footer.counts.values()) == judged
    assert footer.unrun == 2 - judged


@pytest.mark.parametrize(("limit", "ran"), [(1, 1), (2, 2), (50, 7)])
def test_run_that_stops_after_failures(tmp_path, limit, ran):
    """--fail-fast ends a run with code 1; footer, console and JUnit tell what did not run, and so does `judge`."""
    with Server(hostile.always(200)) as server:
        jsonl, junit = tmp_path / "run.jsonl", tmp_path / "run.xml"
        chosen = ("--scenario", "webhook_signature/missing", "--scenario", "webhook_signature/expired")
        reports = ("--report", jsonl, "--report", junit)
        file = target_file(tmp_path, server.url)
        ended = payproof_here("run", "--target", file, *chosen, "--fail-fast", limit, *reports)
    header, *cases, footer = (json.loads(line) for line in jsonl.read_text().splitlines())
    assert (ended.code, len(cases), footer["unrun"], footer["exit_code"]) == (1, ran, header["cases"] - ran, 1)
    line = f"Stopped by --fail-fast: {footer['unrun']} cases did not run and are unknown."
    told = [error.get("message") for error in ET.parse(junit).getroot().iter("error")]
    again = payproof_here("judge", jsonl)
    assert again.code == 1
    if footer["unrun"]:
        assert line in ended.out
        assert line in again.out
        assert told == [f"{footer['unrun']} cases did not run"]
    else:
        assert "did not run" not in ended.out
        assert told == []


def test_stopped_run_is_not_green_when_judged_again(tmp_path):
    """Where a newer check no longer sees the failure that stopped a run, the cases that did not run stay unknown."""
    with Server(verifying) as server:
        jsonl = tmp_path / "run.jsonl"
        options = ("--scenario", "webhook_signature/missing", "--report", jsonl)
        assert payproof_here("run", "--target", target_file(tmp_path, server.url), *options).code == 0
    header, *cases, footer = (json.loads(line) for line in jsonl.read_text().splitlines())
    header["cases"], footer["unrun"], footer["exit_code"] = len(cases) + 4, 4, 1
    jsonl.write_text("\n".join(map(json.dumps, (header, *cases, footer))))
    assert payproof_here("judge", jsonl).code == 3


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
