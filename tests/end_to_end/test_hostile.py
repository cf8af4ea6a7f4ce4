import datetime as dt
import json
import socket
import ssl
import sys

import pytest
import trustme

from tests.end_to_end import hostile
from tests.end_to_end.command import PAYPROOF, SECRET, payproof, payproof_here, target_file
from tests.end_to_end.hostile import Server

HASTY = "answer_within = 0.5\neffect_within = 0.2"  # for targets that never answer
MISSING = ("--scenario", "webhook_signature/missing[no_header]")


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (hostile.drip, "no answer in time"),
        (hostile.gzip_bomb_of_members, "response too large"),
        (hostile.corrupt_gzip, "response unreadable"),
        (hostile.cut_gzip, "response unreadable"),
        (hostile.unknown_encoding, "response unreadable"),
        (hostile.two_encodings, "response unreadable"),
        (hostile.redirect_elsewhere, "redirect to another host"),
        (hostile.redirect_nowhere, "redirect to another host"),
        (hostile.garbage, "response unreadable"),
        (hostile.close_at_once, "unreachable"),
        (hostile.close_in_body, "response unreadable"),
        (hostile.continue_spam, "no answer in time"),
        (hostile.many_headers, "response unreadable"),
        (hostile.huge_header, "response unreadable"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_readable_answer_is_one_line_and_unknown(tmp_path, behave, reason):
    """A target whose answers cannot be read ends the run with one line and code 3."""
    with Server(behave) as server:
        ended = payproof_here("run", "--target", target_file(tmp_path, server.url, contract=HASTY), *MISSING)
        assert (ended.code, ended.out) == (3, "")
        assert ended.line.startswith(f"payproof: {reason}: ")
        assert len(server.requests) == 1


# A process counts the memory of the one that forked it as its own, so a small one has to start what is measured.
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (hostile.never, "no answer in time"),
        (hostile.gigabyte, "response too large"),
        (hostile.endless, "response too large"),
        (hostile.gzip_bomb, "response too large"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_flood_is_read_in_bounded_time_and_memory(tmp_path, behave, reason):
    """A target that never answers, or answers with 1 GB or more, costs one line, a short time and little memory."""
    with Server(behave) as server:
        ended = payproof(
            *("-c", MEASURED, PAYPROOF, "run", "--target", target_file(tmp_path, server.url, contract=HASTY), *MISSING),
            program=sys.executable,
            seconds=20,
        )
        assert ended.code == 3
        assert ended.line.startswith(f"payproof: {reason}: ")
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(ended.out) * unit < 300 * 1024 * 1024


def counts(tmp_path, behave, *options, scenario=MISSING, **file):
    """Run on a server and return how it ended, with the cases of its record."""
    record = tmp_path / "run.jsonl"
    with Server(behave) as server:
        ended = payproof_here(
            "run", "--target", target_file(tmp_path, server.url, **file), *scenario, "--report", record, *options
        )
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert ended.err == ""
    assert [line["event"] for line in lines] == ["run_started", *["case_finished"] * (len(lines) - 2), "run_finished"]
    return ended, lines[1:-1]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, "every path answers 401"),
        (400, "every path answers 400"),
        (404, "there is no webhook at /webhooks/stripe (status 404)"),
        (302, "/webhooks/stripe is redirected (status 302)"),
    ],
)
def test_target_that_refuses_everything_is_told_before_the_first_case(tmp_path, status, cause):
    """A target that refuses every genuine event has rejected nothing: one line with the likely cause, and code 3."""
    with Server(hostile.always(status)) as server:
        ended = payproof_here("run", "--target", target_file(tmp_path, server.url), *MISSING)
        assert len(server.requests) < 60
    assert (ended.code, ended.out) == (3, "")
    assert ended.line.startswith("payproof: genuine events refused: ")
    assert cause in ended.line


def test_target_that_fails_at_everything_is_unknown(tmp_path):
    """A target that fails at genuine events has rejected nothing: the control fails, the run ends with code 3."""
    ended, (case,) = counts(tmp_path, hostile.always(500))
    assert ended.code == 3
    assert (case["verdict"]["kind"], case["verdict"]["reason"]) == ("errored", "control failed")
    assert "status 500" in case["verdict"]["detail"]


def test_target_that_takes_everything_is_broken(tmp_path):
    """A target that answers 200 to a forgery breaks the contract: code 1, and the finding names check and status."""
    ended, (case,) = counts(tmp_path, hostile.always(200))
    assert ended.code == 1
    assert {finding["check"] for finding in case["verdict"]["findings"]} == {"rejected"}
    assert ": status 200; " in ended.out


def test_text_that_is_no_text_is_judged_by_its_status(tmp_path):
    """An answer in invalid UTF-8 is an answer: its status counts."""
    ended, (case,) = counts(tmp_path, hostile.invalid_utf8)
    assert (ended.code, case["verdict"]["kind"]) == (1, "failed")


def test_redirect_loop_is_followed_once(tmp_path):
    """A redirect to the same place is followed at most once, and only where a scenario asks for it."""
    scenario = ("--scenario", "webhook_signature/unsigned_paths[trailing_slash]")

    def behave(peer, request):
        if request.header("Stripe-Signature"):
            peer.send(hostile.answer())
        else:
            hostile.redirect_loop(peer, request)

    _, (case,) = counts(tmp_path, behave, scenario=scenario)
    statuses = [o["answer"]["status"] for o in case["record"]["observations"] if o["channel"] == "http"]
    assert statuses == [307, 307]
    assert case["verdict"]["kind"] == "skipped"  # without a store nobody knows whether anything came of it


@pytest.mark.parametrize("behave", [hostile.echo, hostile.echo_gzip], ids=["plain", "gzip"])
def test_echo_is_a_finding_and_reaches_no_report(tmp_path, behave):
    """A target that says back all that it got fails no_disclosure, and no report shows what it said."""
    sent = []

    def remembered(peer, request):
        sent.append(request)
        behave(peer, request)

    scenario = ("--scenario", "webhook_signature/expired", "--scenario", "webhook_signature/non_ascii_signature")
    junit = tmp_path / "run.xml"
    ended, cases = counts(tmp_path, remembered, "--report", junit, scenario=scenario)
    assert ended.code == 1
    for case in cases:
        assert {finding["check"] for finding in case["verdict"]["findings"]} == {"rejected"}, case["id"]
        assert {finding["check"] for finding in case["passing"]} == {"no_disclosure"}, case["id"]
    written = ended.out + ended.err + (tmp_path / "run.jsonl").read_text() + junit.read_text()
    assert SECRET not in written
    assert "\x1b" not in written
    assert "\x07" not in written
    digests = {
        part.partition(b"=")[2].decode()
        for request in sent
        for part in (request.header("Stripe-Signature") or b"").split(b",")
        if part.startswith(b"v1=") and part.isascii()
    }
    assert len(digests) > 3
    assert not [digest for digest in digests if digest in written]
    names = {
        str(json.loads(request.body)["data"]["object"]["metadata"][key])
        for request in sent
        for key in json.loads(request.body)["data"]["object"]["metadata"]
        if "canary" in str(json.loads(request.body)["data"]["object"]["metadata"][key])
    }
    assert names
    assert not [name for name in names if name in written]


def test_internals_late_in_a_long_answer_are_not_passed_over(tmp_path):
    """Where an answer is longer than what is kept of it, nothing can be said about the rest: errored, not passed."""

    def behave(peer, request):
        genuine = b"v1=" in (request.header("Stripe-Signature") or b"")
        long = b"x" * 100_000 + b'\nTraceback (most recent call last):\n  File "app.py", line 1, in f\nValueError: no\n'
        peer.send(hostile.answer(200) if genuine else hostile.answer(401, long))

    ended, (case,) = counts(tmp_path, behave)
    assert (ended.code, case["verdict"]["kind"], case["verdict"]["reason"]) == (3, "errored", "response too large")


def test_target_that_goes_away_is_a_finding_and_then_unknown(tmp_path):
    """A target that is gone after a request has failed its case; each further case is errored, without a wait."""
    record = tmp_path / "run.jsonl"
    with hostile.stopping_after(3) as server:
        file = target_file(tmp_path, server.url)
        ended = payproof_here("run", "--target", file, "--scenario", "webhook_signature/expired", "--report", record)
    cases = [json.loads(line) for line in record.read_text().splitlines()][1:-1]
    assert ended.code == 1
    first, second, *others = cases
    assert {finding["check"] for finding in first["verdict"]["findings"]} == {"rejected"}
    (gone,) = second["verdict"]["findings"]
    assert (gone["check"], second["severity"]) == ("alive", "critical")
    assert "it did not come back" in gone["seen"]
    assert gone["evidence"][0].startswith("curl ")
    assert len(others) > 1
    assert {case["verdict"]["reason"] for case in others} == {"unreachable"}


def test_nothing_listens(tmp_path):
    """A target that cannot be reached ends the run with one line that names host and port, and code 3."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ended = payproof("run", "--target", target_file(tmp_path, f"http://127.0.0.1:{port}"), *MISSING)
    assert ended.code == 3
    assert ended.line.startswith(f"payproof: unreachable: 127.0.0.1:{port}: ")


def certified(folder, host, *, trusted=True, expired=False):
    """Return a server's context with a certificate for a host, and the file of the authority that a client trusts."""
    authority = trustme.CA()
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    issued = authority.issue_cert(host, not_after=past if expired else None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(folder / "ca.pem")
    return context


@pytest.mark.parametrize(
    ("host", "options", "said"),
    [
        ("127.0.0.1", {"trusted": False}, "unable to get local issuer certificate"),
        ("billing.example", {}, "IP address mismatch"),
        ("127.0.0.1", {"expired": True}, "certificate has expired"),
    ],
    ids=["unknown authority", "wrong host", "expired"],
)
def test_wrong_certificate(tmp_path, host, options, said):
    """A certificate that is not valid ends the run with one line that says why; nothing was sent."""
    with Server(hostile.always(200), certified(tmp_path, host, **options)) as server:
        file = target_file(tmp_path, server.url, top='ca_file = "ca.pem"')
        ended = payproof_here("run", "--target", file, *MISSING)
        assert server.requests == []
    assert ended.code == 3
    assert ended.line.startswith(f"payproof: TLS failed: the certificate of 127.0.0.1:{server.port} is not valid: ")
    assert ended.line.endswith("; a certificate authority of your own is named by ca_file (--ca-file)")
    assert said in ended.line


def test_right_certificate(tmp_path):
    """The same target with a valid certificate is judged."""
    ended, _ = counts(tmp_path, hostile.always(200))
    assert ended.code == 1
    with Server(hostile.always(200), certified(tmp_path, "127.0.0.1")) as server:
        file = target_file(tmp_path, server.url, top='ca_file = "ca.pem"')
        assert payproof_here("run", "--target", file, *MISSING).code == 1


def test_https_to_a_server_that_speaks_plain_http(tmp_path):
    """TLS with a server that does not speak it is one line and code 3."""
    with Server(hostile.always(200)) as server:
        ended = payproof_here("run", "--target", target_file(tmp_path, server.url.replace("http:", "https:")), *MISSING)
    assert ended.code == 3
    assert ended.line.startswith("payproof: TLS failed: no TLS connection with 127.0.0.1:")
