"""Commands on hostile servers end as they should, in time, in bounded memory, and leave nothing behind."""

import asyncio
import json
import re
import socket
from contextlib import ExitStack

import pytest

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.observation import Answer
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.errors import Reason
from payproof.session import discovery
from payproof.session.delivery import loose_target
from tests.end_to_end import hostile
from tests.end_to_end.command import SECRET_ENV, target_file
from tests.end_to_end.hostile import Server
from tests.hostile.measured import measured
from tests.hostile.servers import DOCUMENTS, SERVERS, strange_paths

MEBIBYTES = {"deliver": 150, "init": 400, "run": 200}
MOST_SECONDS = 60  # until a command counts as one that hangs; what is to end in time says so itself


def ended(record_property, name, *arguments, **more):
    """Run a command, put it into the table, and hold it to what is true of every one."""
    command = measured(*arguments, seconds=MOST_SECONDS, **more)
    record_property("measured", command.row(f"{arguments[0]}: {name}"))
    assert not command.hung
    assert command.peak < MEBIBYTES[arguments[0]]
    assert command.left == ()
    for text in (command.out, command.err):
        assert "Traceback" not in text
        assert Reason.HARNESS_FAULT.value not in text
    return command


def deliver(record_property, name, url, seconds):
    """Deliver an event with so much time for the answer."""
    options = ("--secret-env", SECRET_ENV, "--timeout", seconds)
    return ended(record_property, name, "deliver", "invoice.paid", "--url", f"{url}/hook", *options)


def seen(command):
    """Return the status that a delivery was answered with, or why it was not answered."""
    if command.code == 3:
        (line,) = command.err.splitlines()
        return Reason(line.partition(": ")[0])
    status = int(re.search(r"^answered  (\d{3}) in ", command.out, re.MULTILINE)[1])
    assert command.code == (0 if 200 <= status < 300 else 1)
    return status


@pytest.mark.thorough
@pytest.mark.parametrize("name", SERVERS)
def test_delivery_ends(record_property, name):
    """A delivery tells the status, or in one line why there is none; time is given only where it is to run out."""
    server = SERVERS[name]
    with Server(server.behave) as listening:
        command = deliver(record_property, name, listening.url, 0.5 if server.said is Reason.TIMEOUT else 10)
    assert seen(command) in {server.said, server.otherwise}


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x03\xff\xff", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_handshake_ends(record_property, hello):
    """A server that says nothing by TLS, or something else, is told in one line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"

        def greet(_process):
            connection, _ = listener.accept()
            connection.sendall(hello)
            kept.enter_context(connection)

        with ExitStack() as kept:
            options = ("--url", url, "--secret-env", SECRET_ENV, "--timeout", 0.5)
            name = f"TLS, {len(hello)} bytes"
            command = ended(record_property, name, "deliver", "invoice.paid", *options, meanwhile=greet)
    assert seen(command) in {Reason.TIMEOUT, Reason.TLS_FAILED}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_answer_before_the_request(record_property, scheme):
    """A server that answers and is gone before it has read anything is told by its status or as unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_unread(_process):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(hostile.answer(401))

        options = ("--url", f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", "--secret-env", SECRET_ENV)
        name = f"answer before the request, by {scheme}"
        command = ended(record_property, name, "deliver", "invoice.paid", *options, meanwhile=answer_unread)
    wanted = {401, Reason.UNREACHABLE} if scheme == "http" else {Reason.TLS_FAILED, Reason.UNREACHABLE}
    assert seen(command) in wanted


@pytest.mark.parametrize("name", DOCUMENTS)
def test_look_ends(record_property, tmp_path, name):
    """A look at a URL takes of a document what it can, asks a bounded number of times, and writes its file."""
    with Server(DOCUMENTS[name]) as listening:
        command = ended(record_property, name, "init", listening.url, "--output", tmp_path / "target.toml")
        assert len(listening.requests) < 80
    assert command.code == 0
    found = "/right/webhook" if DOCUMENTS[name] is strange_paths else "/webhook"
    assert f'path = "{found}' in (tmp_path / "target.toml").read_text()


def test_look_has_its_time(tmp_path, monkeypatch):
    """A host that takes its time for each answer is not asked for ever, and the file says that time ended the look."""
    monkeypatch.setattr(discovery, "_LOOK_SECONDS", 0.3)

    def late(peer, _):
        if not peer.wait(0.2):
            peer.send(hostile.answer(404))

    with Server(late) as listening:
        discovery.write_target_file(listening.url, tmp_path / "target.toml", discovery.Wishes(project=tmp_path))
        assert 1 < len(listening.requests) < 10
    written = (tmp_path / "target.toml").read_text()
    assert f"written from {len(listening.requests)} requests, all that 0.3 seconds had time for," in written


@pytest.mark.parametrize("name", ["gzip, 100,000 empty members", "1xx without end", "headers without end", "silence"])
def test_run_ends(record_property, tmp_path, name):
    """A target that turns hostile after its first deliveries ends a case as unknown, and the run with code 3."""
    server, record = SERVERS[name], tmp_path / "run.jsonl"

    def turning(peer, request):
        if len(listening.requests) > 2:
            server.behave(peer, request)
        else:
            peer.send(hostile.answer(200))

    with Server(turning) as listening:
        file = target_file(tmp_path, listening.url, contract="answer_within = 2\neffect_within = 0.2")
        options = ("--scenario", "webhook_signature/missing[no_header]", "--report", record)
        command = ended(record_property, name, "run", "--target", file, *options)
    (case,) = [json.loads(line) for line in record.read_text().splitlines()][1:-1]
    assert command.code == 3
    assert (case["verdict"]["kind"], case["verdict"]["reason"]) == ("errored", server.said.value)


def test_other_client_ends_with_all_servers_at_once():
    """The client for bytes that are no ASCII sees every server at the same time, and each ends as it should."""

    async def one(url):
        sender = HttpSender(loose_target(url, secret=Secret("none", ""), answer_within=5.0), Ledger())
        try:
            request = Request("POST", "/hook", ((b"X-Test", b"\xff"),), b"{}", "a note")
            return (await sender.send(request, 0)).answer
        finally:
            await sender.close()

    async def every(urls):
        return await asyncio.gather(*map(one, urls))

    with ExitStack() as stack:
        listening = [stack.enter_context(Server(server.behave)) for server in SERVERS.values()]
        answers = asyncio.run(every([server.url for server in listening]))
    for (name, server), got in zip(SERVERS.items(), answers, strict=True):
        told = got.status if isinstance(got, Answer) else got.reason
        # So many floods at once leave little time for each.
        assert told in {server.said, server.otherwise, Reason.TIMEOUT}, name
