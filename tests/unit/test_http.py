import asyncio
import gzip
import socket
import time
import zlib
from dataclasses import replace
from threading import Thread
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.adapters.http import HttpSender
from payproof.adapters.unpacking import unpack_body
from payproof.canary import Ledger
from payproof.domain.observation import Answer, NoAnswer
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.target import Budget, Contract, Environment, Target, Webhook
from payproof.errors import ForbiddenHostError, InconclusiveError, Reason
from tests.end_to_end import hostile
from tests.end_to_end.hostile import Server, answer

VALUE = b"whsec_0123456789abcdef"


def described(url, budget=None):
    """Return a target at a URL."""
    return Target(
        "t",
        url,
        Environment.LOCAL,
        Webhook("/hook", Secret("webhook secret", "whsec_x"), "2022-11-15"),
        contract=Contract(answer_within=2),
        budget=budget or Budget(),
    )


def exchanged(url, *, headers=(), body=b"{}", target="/hook", budget=None, ledger=None):
    """Send one request and return the answer."""

    async def once():
        sender = HttpSender(described(url, budget), ledger or Ledger())
        try:
            return await sender.send(Request("POST", target, tuple(headers), body, "a note"), 3)
        finally:
            await sender.close()

    return asyncio.run(once())


def answered(behave, **more):
    """Send one request to a server that behaves in some way; return the answer and what arrived."""
    with Server(behave) as server:
        got = exchanged(server.url, **more).answer
    return got, server.requests


ASCII = ((b"X-Test", b"plain"),)
BEYOND = ((b"X-Test", b"\xff\xe9"),)  # goes through the second client, as aiohttp would encode it anew
both_clients = pytest.mark.parametrize("headers", [ASCII, BEYOND], ids=["aiohttp", "h11"])


@both_clients
def test_bytes_arrive_as_they_are(headers):
    """Body, header bytes and request target go on the wire as they were given, and no header is added that tells us."""
    got, (request,) = answered(hostile.always(200), headers=headers, body=b"\x00\xff {}", target="/a//b/../c%2Fd?x=%7e")
    assert got.status == 200
    assert request.body == b"\x00\xff {}"
    assert request.target == "/a//b/../c%2Fd?x=%7e"
    assert request.header("X-Test") == headers[0][1]
    names = {line.partition(b":")[0].lower() for line in request.head.split(b"\r\n")[1:]}
    assert names <= {b"host", b"x-test", b"content-length", b"connection"}


@both_clients
@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (hostile.garbage, Reason.RESPONSE_UNREADABLE),
        (hostile.close_at_once, Reason.UNREACHABLE),
        (hostile.close_in_body, Reason.RESPONSE_UNREADABLE),
        (hostile.never, Reason.TIMEOUT),
        (hostile.continue_spam, Reason.TIMEOUT),
        (hostile.endless, Reason.RESPONSE_TOO_LARGE),
        (hostile.many_headers, Reason.RESPONSE_UNREADABLE),
        (hostile.huge_header, Reason.RESPONSE_UNREADABLE),
        (hostile.corrupt_gzip, Reason.RESPONSE_UNREADABLE),
        (hostile.redirect_elsewhere, Reason.REDIRECT_ELSEWHERE),
        (hostile.redirect_nowhere, Reason.REDIRECT_ELSEWHERE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_both_clients_tell_the_same_reasons(behave, reason, headers):
    """Whichever client sends a request, what goes wrong is told by the same reason in one line."""
    got, _ = answered(behave, headers=headers)
    assert isinstance(got, NoAnswer)
    assert got.reason is reason
    assert "\n" not in got.detail
    assert got.detail


def test_other_host_gets_nothing():
    """A request target that would change the host sends nothing."""
    with Server(hostile.always(200)) as server:
        for target in ("@elsewhere.invalid/", ".elsewhere.invalid/"):
            with pytest.raises(ForbiddenHostError, match=r"elsewhere\.invalid"):
                exchanged("https://billing.example", target=target)
        assert server.connections == 0


def test_redirect_is_not_followed():
    """A redirect on the same host is an answer like any other, and is not followed by the client."""
    got, requests = answered(hostile.redirect_loop)
    assert (got.status, len(requests)) == (307, 1)


@both_clients
def test_values_are_concealed_wherever_they_come_back(headers):
    """A registered value is replaced in body, header values and header names, and each place is told."""
    ledger = Ledger()
    ledger.add("secret", "webhook secret", VALUE)

    def behave(peer, _):
        peer.send(answer(200, b"a " + VALUE + b" b", (b"X-One: " + VALUE, b"x-" + VALUE + b": 1")))

    got, _ = answered(behave, ledger=ledger, headers=headers)
    assert VALUE.decode() not in repr(got)
    assert got.body == "a [secret: webhook secret] b"
    assert {exposure.where.partition(",")[0] for exposure in got.exposures} == {
        "body",
        "header x-one",
        "a header's name",
    }


def test_value_in_a_second_gzip_member_is_found():
    """Every member of a gzip body is read."""
    ledger = Ledger()
    ledger.add("secret", "webhook secret", VALUE)
    got, _ = answered(hostile.echo_gzip, ledger=ledger, body=b"x" * 50 + VALUE)
    assert [exposure.where.partition(",")[0] for exposure in got.exposures] == ["body"]
    assert got.body.endswith("[secret: webhook secret]")


def test_long_body_is_marked_as_cut():
    """What is kept of a body is bounded, and an answer says that it was cut."""
    short, long = (
        answered(lambda peer, _, n=n: peer.send(answer(200, b"x" * n)), budget=Budget(evidence_characters=100))[0]
        for n in (100, 101)
    )
    assert (short.cut, len(short.body), long.cut, len(long.body), long.length) == (False, 100, True, 100, 101)


SOON = time.monotonic() + 3600


@given(st.binary(max_size=2_000), st.sampled_from(["gzip", " GZIP ", "x-gzip", "deflate"]), st.integers(1, 3))
def test_unpacking_is_exact_or_refused(data, encoding, members):
    """What was packed is unpacked, in any number of gzip members; a part of it, or a limit exceeded, is refused."""
    wbits, members = (15, 1) if encoding == "deflate" else (31, members)
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(data) + packer.flush()
    assert unpack_body(packed * members, encoding, limit=10_000, until=SOON) == data * members
    with pytest.raises(InconclusiveError):
        unpack_body(packed[:-1], encoding, limit=10_000, until=SOON)
    if data:
        with pytest.raises(InconclusiveError):
            unpack_body(packed * members, encoding, limit=len(data) * members - 1, until=SOON)


@given(st.binary(min_size=1, max_size=300_000), st.integers(1, 100))
def test_pieces_leave_no_seam(data, members):
    """Members that end anywhere in what is read at once are unpacked as if they stood alone."""
    size = -(-len(data) // members) or 1
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    packed = b"".join(gzip.compress(part, compresslevel=0) for part in parts)
    assert unpack_body(packed, "gzip", limit=300_000, until=SOON) == data


@pytest.mark.parametrize(
    ("body", "encoding", "until", "reason"),
    [
        (gzip.compress(b"") * 1_001, "gzip", SOON, Reason.RESPONSE_TOO_LARGE),
        (gzip.compress(b"{}"), "gzip", time.monotonic(), Reason.TIMEOUT),
        (zlib.compress(b"{}") * 2, "deflate", SOON, Reason.RESPONSE_UNREADABLE),
        (b"", "gzip", SOON, Reason.RESPONSE_UNREADABLE),
    ],
    ids=["members", "time", "bytes behind deflate", "nothing"],
)
def test_unpacking_is_bounded(body, encoding, until, reason):
    """Neither members nor time are spent without a bound, and the reason is told."""
    with pytest.raises(InconclusiveError) as error:
        unpack_body(body, encoding, limit=10_000, until=until)
    assert error.value.reason is reason


def test_loop_goes_on_while_a_body_is_unpacked():
    """What is slow to unpack holds up nothing else."""
    body = gzip.compress(b"\0" * 1_500_000)
    ticks = []

    def slowly(*_, **__):
        before = len(ticks)
        until = time.monotonic() + 10
        while len(ticks) < before + 3 and time.monotonic() < until:
            time.sleep(0.01)
        return b"{}"

    async def ticking():
        while True:
            await asyncio.sleep(0.01)
            ticks.append(None)

    async def both(url):
        task = asyncio.create_task(ticking())
        sender = HttpSender(described(url), Ledger())
        try:
            return await sender.send(Request("POST", "/hook", (), b"{}", "a note"), 3)
        finally:
            task.cancel()
            await sender.close()

    packed = answer(200, body, (b"Content-Encoding: gzip",))
    with Server(lambda peer, _: peer.send(packed)) as server, patch("payproof.adapters.http.unpack_body", slowly):
        assert asyncio.run(both(server.url)).answer.body == "{}"
    assert len(ticks) >= 3


def test_answer_has_its_time():
    """An answer tells how long it took from the first byte sent to the last one read."""

    def behave(peer, _):
        peer.wait(0.2)
        peer.send(answer())

    begun = time.monotonic()
    got, _ = answered(behave)
    whole = time.monotonic() - begun
    assert isinstance(got, Answer)
    assert 0.19 < got.seconds < whole
    assert replace(got, seconds=0).status == 200


@both_clients
def test_a_fault_of_ours_is_not_the_targets(monkeypatch, headers):
    """An exception that neither the network nor a parser of HTTP raises is told as a fault, not as a bad answer."""

    def broken(*_given):
        raise AttributeError("ours")

    monkeypatch.setattr(HttpSender, "_raw", broken)
    with pytest.raises(AttributeError, match="ours"):
        answered(hostile.always(200), headers=headers)


def test_a_request_comes_from_another_address_of_this_machine():
    """Who guesses credentials does so from an address of its own, as the address may be locked out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_once():
            connection, peer = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + peer[0].encode())

        server = Thread(target=answer_once)
        server.start()

        async def once():
            sender = HttpSender(described(f"http://127.0.0.1:{listener.getsockname()[1]}"), Ledger())
            try:
                return await sender.send(Request("GET", "/", (), b"", "a note", origin="127.0.0.9"), 0)
            finally:
                await sender.close()

        got = asyncio.run(once()).answer
        server.join()
    assert isinstance(got, Answer)
    assert got.body == "127.0.0.9"


@pytest.mark.parametrize("lingers", [False, True])
def test_an_early_answer_to_a_large_body_is_read(lingers):
    """What a target says that closes before it has read all of a body is its answer."""

    def refuse(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        if lingers:
            time.sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                refuse(connection)

        thread = Thread(target=serve)
        thread.start()
        got = exchanged(f"http://127.0.0.1:{listener.getsockname()[1]}", body=b"x" * 10 * 1024 * 1024).answer
        thread.join()
    assert (got.status, got.body) == (413, "no")
