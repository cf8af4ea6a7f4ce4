import time
from email.utils import formatdate

import pytest

from tests.end_to_end.command import payproof_here, target_file
from tests.end_to_end.hostile import Server, answer

MISSING = ("--scenario", "webhook_signature/missing[no_header]")
PATH = "/webhooks/stripe"


def at(path, ok=200, no=400):
    """A webhook at one path that takes whatever is signed; 404 elsewhere."""

    def behave(peer, request):
        signed = request.header("Stripe-Signature") is not None
        peer.send(answer(404 if request.target != path else ok if signed else no))

    return behave


def wrong_secret(peer, request):
    """A webhook with another secret, on a site that has a start page."""
    peer.send(answer(200, b"welcome") if request.method == "GET" else answer(400, b"No signatures found"))


def slow_clock(peer, request):
    """A webhook whose machine is ten minutes behind."""
    date = b"Date: " + formatdate(time.time() - 600, usegmt=True).encode()
    peer.send(answer(200, b"welcome") if request.method == "GET" else answer(400, b"too old", (date,)))


def moved(status, location):
    """A path that leads elsewhere."""
    return lambda peer, _: peer.send(answer(status, b"", (f"Location: {location}".encode(),)))


def login(peer, _):
    """A proxy that asks for a password."""
    peer.send(answer(401, b"who are you", (b"WWW-Authenticate: Basic realm=staging",)))


def token_asked(peer, _):
    """A framework that asks every POST for a token of its own forms."""
    peer.send(answer(403, b"CSRF verification failed. Request aborted."))


def unknown_host(peer, _):
    """A site that answers no request under this name."""
    peer.send(answer(400, b"Unknown host"))


def newer_version(peer, request):
    """A webhook of an SDK that refuses events of another release."""
    ok = b'"2025-09-30.clover"' in request.body and request.header("Stripe-Signature") is not None
    peer.send(answer(200, b"") if ok or request.method == "GET" else answer(400, b"Received event with API version"))


def limited(peer, _):
    """A limit that has been reached, for an hour."""
    peer.send(answer(429, b"slow down", (b"Retry-After: 3600",)))


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (at(PATH + "/"), f"there is no webhook at {PATH} (status 404); POST {PATH}/ answers 400: is it that path?"),
        (at("/api/webhook"), "POST /api/webhook answers 400: is it that path?"),
        (at("/elsewhere"), "put the right path into [webhook]"),
        (moved(301, PATH + "/"), f"is redirected (status 301) to {PATH}/: Stripe does not follow"),
        (moved(302, "/accounts/login?next=/"), "is behind a login (status 302 to /accounts/login?next=/)"),
        (login, "comes from a login or a proxy in front of it"),
        (token_asked, "asks for a token against forged requests (CSRF), which Stripe does not have"),
        (slow_clock, "s behind this machine's, so signatures are too old or too new for it"),
        (unknown_host, "every path answers 400, as /webhooks/stripe does (it says 'Unknown host')"),
        (newer_version, "takes events of API version 2025-09-30.clover"),
        (wrong_secret, "(it says 'No signatures found'): the signing secret is not this endpoint's"),
    ],
    ids=[
        "slash",
        "usual_path",
        "unusual_path",
        "redirect",
        "to_login",
        "login",
        "csrf",
        "clock",
        "host",
        "version",
        "secret",
    ],
)
def test_a_refusal_of_everything_is_told_once_with_its_cause(tmp_path, behave, told):
    """A target that refuses every genuine event ends the run within seconds: one line with the likely cause, code 3."""
    with Server(behave) as server:
        ended = payproof_here("run", "--target", target_file(tmp_path, server.url), *MISSING)
        assert len(server.requests) < 60
    assert (ended.code, ended.out) == (3, "")
    assert ended.line.startswith("payproof: genuine events refused: ")
    assert told in ended.line


def test_a_refusal_of_what_was_signed_now_is_a_finding(tmp_path):
    """A webhook that takes old signatures only is judged: the case that asks for it fails, and others say why not."""

    def behave(peer, request):
        header = request.header("Stripe-Signature") or b""
        age = time.time() - int(header.partition(b"t=")[2].partition(b",")[0] or 0)
        peer.send(answer(200 if b"v1=" in header and 5 <= age < 300 else 401))

    with Server(behave) as server:
        target = target_file(tmp_path, server.url)
        judged = payproof_here("run", "--target", target, "--topic", "webhook_signature", "--verbose")
        calibrated = payproof_here("calibrate", "--target", target)
    told = f"{PATH} takes events that were signed some time ago, and refuses those signed now"
    assert judged.code == 1
    assert "webhook_signature/within_tolerance[now]" in judged.out
    assert told in judged.out
    assert (calibrated.code, told in calibrated.line) == (3, True)


def test_a_rate_limit_is_told_once_and_kept_to(tmp_path):
    """A target that says to come again in an hour is asked once, and the run ends with code 3."""
    with Server(limited) as server:
        ended = payproof_here("run", "--target", target_file(tmp_path, server.url), *MISSING)
        assert len(server.requests) == 1
    assert ended.code == 3
    assert "rate limited: the target limits how often it is asked: status 429" in ended.line
    assert "3600" in ended.line


def test_a_short_rate_limit_is_waited_for(tmp_path):
    """A request that was answered 429 is sent again after Retry-After, and its verdict is that of the later answer."""

    def behave(peer, request):
        if len(server.requests) % 3 == 2:
            peer.send(answer(429, b"slow down", (b"Retry-After: 0",)))
        else:
            peer.send(answer(200 if b"v1=" in (request.header("Stripe-Signature") or b"") else 401))

    with Server(behave) as server:
        ended = payproof_here("run", "--target", target_file(tmp_path, server.url), *MISSING)
    assert (ended.code, ended.err) == (0, ""), ended.out
