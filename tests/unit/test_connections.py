"""Kept connections: a stale one is not used, or its request is sent once more, and nothing else is ever repeated."""

import asyncio
import contextlib
import shutil
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.observation import Answer, NoAnswer
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Environment, Target, Webhook
from payproof.errors import Reason
from tests.components import need
from tests.end_to_end.hostile import _read
from tests.waiting import until

KEPT = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
APPS = Path(__file__).parent / "keeping"


class Keeping:
    """Answers the first request of each connection and keeps it; what happens then is its ``way``."""

    def __init__(self, way):
        self.way, self.requests, self.connections = way, [], 0
        self.closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(20)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(20)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection):
        way = self.way  # of this connection, whatever the next ones do
        with connection, contextlib.suppress(OSError):
            if way == "never answers":
                self.requests.append(_read(connection))
                return
            while (request := _read(connection)) is not None:
                self.requests.append(request)
                connection.sendall(KEPT)
                if way == "closes":
                    break
                if way == "resets" and connection.recv(1, socket.MSG_PEEK):
                    # With the next request unread: the other side gets a reset.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                if way in {"breaks off", "half answers"} and (request := _read(connection)) is not None:
                    self.requests.append(request)
                    if way == "half answers":
                        connection.sendall(KEPT[:12])
                    break
        self.closed.set()


class Sending:
    """A client of one target; each request runs the loop anew, as each case does."""

    def __init__(self, url, seconds=10):
        hook = Webhook("/hook", Secret("webhook secret", "whsec_x"), "2022-11-15")
        target = Target("t", url, Environment.LOCAL, hook, contract=Contract(answer_within=seconds))
        self._loop = asyncio.Runner()
        self._sender = self._loop.run(self._made(target))

    async def _made(self, target):
        return HttpSender(target, Ledger())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._loop.run(self._sender.close())
        self._loop.close()

    def send(self, name="a", method="POST", **more):
        """Send one request."""
        return self._loop.run(self._sender.send(Request(method, f"/{name}", (), b"{}", name, **more), 0))

    def idle(self, seconds):
        """Let the loop run without a request."""
        self._loop.run(asyncio.sleep(seconds))


def test_a_connection_is_kept():
    """Requests go over one connection as long as the target keeps it."""
    with Keeping("keeps") as server, Sending(server.url) as client:
        notes = [client.send(name).sent.note for name in "abc"]
    assert (notes, server.connections, len(server.requests)) == (["a", "b", "c"], 1, 3)


def test_a_connection_that_has_ended_is_not_used():
    """A target that closes after an answer without saying so gets the next request on a fresh connection, and once."""
    with Keeping("closes") as server, Sending(server.url) as client:
        for name in "abc":
            server.closed.clear()
            exchange = client.send(name)
            assert isinstance(exchange.answer, Answer)
            assert exchange.sent.note == name
            assert server.closed.wait(20)
    assert [one.target for one in server.requests] == ["/a", "/b", "/c"]


@pytest.mark.parametrize(("way", "received"), [("resets", ["/a", "/b"]), ("breaks off", ["/a", "/b", "/b"])])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_on_a_stale_connection_is_sent_once_more(way, received, method):
    """A used connection that ends before a byte of the answer costs no answer; the exchange tells of the repetition."""
    with Keeping(way) as server, Sending(server.url) as client:
        client.send("a")
        exchange = client.send("b", method)
    assert isinstance(exchange.answer, Answer)
    assert exchange.sent.note == "b, sent again, as the target had ended the connection that it had kept"
    assert [one.target for one in server.requests] == received
    assert server.connections == 2


def test_an_answer_that_has_begun_is_not_asked_for_again():
    """Where the target had begun to answer it has seen the request: that is no answer, and nothing is repeated."""
    with Keeping("half answers") as server, Sending(server.url) as client:
        client.send("a")
        exchange = client.send("b")
    assert isinstance(exchange.answer, NoAnswer)
    assert exchange.sent.note == "b"
    assert [one.target for one in server.requests] == ["/a", "/b"]


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "DELETE"])
def test_nothing_is_repeated_on_a_fresh_connection(method):
    """A target that ends a fresh connection without an answer has given none, whatever the method."""
    with Keeping("never answers") as server, Sending(server.url) as client:
        exchange = client.send("a", method)
    assert isinstance(exchange.answer, NoAnswer)
    assert exchange.answer.reason is Reason.UNREACHABLE
    assert len(server.requests) == server.connections == 1


def test_what_is_to_be_done_once_has_a_connection_of_its_own():
    """An operation goes over no connection that was used, and none is used after it, so that none can be stale."""
    with Keeping("breaks off") as server, Sending(server.url) as client:
        client.send("a")
        for name in ("b", "c"):
            exchange = client.send(name, once=True)
            assert isinstance(exchange.answer, Answer)
            assert exchange.sent.note == name
    assert [one.target for one in server.requests] == ["/a", "/b", "/c"]
    assert server.connections == 3


def test_a_stale_connection_is_replaced_once():
    """The repetition may fail as well, and is then told as it is; there is no third one."""
    with Keeping("breaks off") as server, Sending(server.url) as client:
        client.send("a")
        server.way = "never answers"
        exchange = client.send("b")
    assert isinstance(exchange.answer, NoAnswer)
    assert [one.target for one in server.requests] == ["/a", "/b", "/b"]


def _uvicorn(listener):
    return [sys.executable, "-m", "uvicorn", "--fd", str(listener), "--log-level", "critical", "asgi:app"]


def _gunicorn(*how):
    def command(listener):
        return [
            sys.executable,
            "-m",
            "gunicorn",
            "--log-level",
            "critical",
            *how,
            "--bind",
            f"fd://{listener}",
            "wsgi:app",
        ]

    return command


def _node(listener):
    return ["node", "serve.js", str(listener)]


SERVERS = {
    "uvicorn": _uvicorn,
    "gunicorn": _gunicorn(),
    "gunicorn, threads": _gunicorn("--worker-class", "gthread", "--threads", "4", "--keep-alive", "1"),
    "node": _node,
}


@contextlib.contextmanager
def serving(name, record):
    """Run a server of a kind; it writes each path that it is asked for into a file."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = SERVERS[name](listener.fileno())
        process = subprocess.Popen(
            command,
            cwd=APPS,
            env={"PATH": str(Path(shutil.which("env") or "/usr/bin/env").parent), "RECORD": str(record)}
            | ({"PATH": str(Path(node).parent)} if (node := shutil.which("node")) and name == "node" else {}),
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving_php(record):
    """Run PHP's own server, which takes no open socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    php = shutil.which("php") or "php"
    process = subprocess.Popen(
        [php, "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", "serve.php"],
        cwd=APPS,
        env={"PATH": str(Path(php).parent), "RECORD": str(record)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def listens():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        until(listens)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("name", [*SERVERS, "php"])
def test_servers_that_close_as_they_like(tmp_path, name):
    """Real servers, each of which ends connections after errors or idle ones in its own way, answer every request."""
    for program in {"node": ["node"], "php": ["php"]}.get(name, []):
        need({"node": "Node", "php": "PHP"}[program], shutil.which(program) is not None)
    record = tmp_path / "asked"
    record.touch()
    names = [f"{kind}{number}" for number in range(8) for kind in ("ok", "fail", "leave")]
    with serving_php(record) if name == "php" else serving(name, record) as url, Sending(url, 60) as client:
        answers = {one: client.send(one).answer for one in names}
        client.idle(1.1)  # longer than one of them keeps an idle connection
        answers["ok-late"] = client.send("ok-late").answer
    assert [one for one, answer in answers.items() if not isinstance(answer, Answer)] == []
    assert {one: answer.status for one, answer in answers.items()} == {
        one: 500 if one.startswith("fail") else 200 for one in answers
    }
    assert record.read_text().split() == [f"/{one}" for one in [*names, "ok-late"]]
