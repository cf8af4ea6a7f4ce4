import gc
import gzip
import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from random import Random

import httpx
import pytest

from payproof.adapters.data import data_folder
from payproof.adapters.upstream.backends import DoubleBackend, HttpBackend, StripeTestMode
from payproof.adapters.upstream.call_log import Limits
from payproof.adapters.upstream.server import UpstreamServer
from payproof.adapters.upstream.stripe_mock import stripe_mock
from payproof.canary import Ledger
from payproof.domain.operation import Price, Trouble, UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.domain.stripe_call import KeyKind
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.session.upstream import open_upstream
from payproof.stripe.api import ApiAnswer
from payproof.stripe.double import Double
from payproof.stripe.upstream.errors import Errors
from payproof.stripe.upstream.fault_names import FAULTS
from payproof.stripe.upstream.faults import ConnectionFault
from payproof.stripe.upstream.plan import Plan, Rule
from tests.components import need
from tests.double import NEWEST
from tests.end_to_end.processes import running
from tests.waiting import DEADLINE, until

KEY = "sk_" + "test_" + "0123456789abcdef"
LIVE = "sk_" + "live_" + "0123456789abcdef"
SPEC = UpstreamSpec(url="http://127.0.0.1:0", prices={"price_team": Price(1000)})


@contextmanager
def opened(**spec) -> Iterator:
    """Open an upstream in front of the double; return it and its ledger."""
    ledger = Ledger()
    given = UpstreamSpec(**{"url": SPEC.url, "prices": SPEC.prices, **spec})
    with open_upstream(given, ledger=ledger, api_version=NEWEST, seed=1) as upstream:
        yield upstream, ledger


def ask(upstream, method="POST", path="/v1/customers", *, key=KEY, within=DEADLINE, verify=True, **more):
    """Call it as an SDK does."""
    with httpx.Client(base_url=upstream.url, verify=verify, trust_env=False, timeout=within) as client:
        return client.request(
            method, path, headers={"Authorization": f"Bearer {key}", **more.pop("headers", {})}, **more
        )


def recorded(upstream):
    """Return the calls once each has ended: a client may have read an answer before its record says so."""
    until(lambda: all(call.seconds is not None for call in upstream.calls(0)))
    return upstream.calls(0)


def arm(upstream, *troubles, ledger=None):
    """Let faults strike."""
    ledger = ledger or Ledger()
    upstream.arm(troubles, Random(1), ledger.add)


def test_calls_are_recorded_without_the_key():
    """A call is answered by the backend, and its record holds parameters and key sort, not the key."""
    with opened() as (upstream, ledger):
        answer = ask(upstream, data={"metadata[a]": "b"}, headers={"Idempotency-Key": "k"})
        (call,) = recorded(upstream)
        assert answer.status_code == 200
        assert (call.method, call.path, call.parameters) == ("POST", "/v1/customers", (("metadata[a]", "b"),))
        assert (call.key, call.idempotency_key, call.status, call.backend_status) == (KeyKind.TEST, "k", 200, 200)
        assert not call.spoiled
        assert KEY not in repr(call)
        assert not ledger.holds_none([KEY.encode()])


def test_a_live_key_goes_nowhere():
    """A call with a live key is refused before the backend is asked, and said to be one."""
    with opened() as (upstream, _):
        assert ask(upstream, key=LIVE).status_code == 401
        (call,) = recorded(upstream)
        assert (call.key, call.backend_status) == (KeyKind.LIVE, None)


def test_prices_of_the_target_file_are_known():
    """The double sells the prices that a target has in its configuration, under their own ids."""
    with opened() as (upstream, _):
        price = ask(upstream, "GET", "/v1/prices/price_team").json()
        assert (price["unit_amount"], price["currency"], price["recurring"]["interval"]) == (1000, "usd", "month")


def test_an_error_strikes_so_often_and_tells_only_canaries():
    """An armed error answers as many calls of its path as it should; each of its fields is known to the ledger."""
    ledger = Ledger()
    with opened() as (upstream, _):
        arm(upstream, Trouble("card_declined.lost_card", "POST /v1/customers", times=2), ledger=ledger)
        answers = [ask(upstream) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [402, 402, 200]
        error = answers[0].json()["error"]
        assert (error["code"], error["decline_code"]) == ("card_declined", "lost_card")
        concealed, exposures = ledger.conceal(answers[0].content)
        assert {"message", "doc_url", "param", "request_log_url", "charge"} <= {one.label for one in exposures}
        assert error["message"].encode() not in concealed
        assert [(call.fault, call.spoiled, call.backend_status) for call in recorded(upstream)] == [
            ("card_declined.lost_card", True, None),
            ("card_declined.lost_card", True, None),
            ("", False, 200),
        ]


def test_a_lasting_fault_ends_when_it_is_lifted():
    """A fault without a number strikes every call until the next arming; other paths are let through."""
    with opened() as (upstream, _):
        arm(upstream, Trouble("service_unavailable", "POST /v1/customers", retry_after=3))
        struck = ask(upstream)
        assert (struck.status_code, struck.headers["Retry-After"]) == (503, "3")
        assert [ask(upstream).status_code for _ in range(3)] == [503] * 3
        assert ask(upstream, "GET", "/v1/prices").status_code == 200
        arm(upstream)
        assert ask(upstream).status_code == 200


def test_work_that_was_done_is_found_by_its_key():
    """A connection that is reset after the work was done leaves one object, which the same key brings back."""
    with opened() as (upstream, _):
        arm(upstream, Trouble("reset_after", "POST /v1/customers", times=1))
        with pytest.raises(httpx.TransportError):
            ask(upstream, headers={"Idempotency-Key": "k"})
        again = ask(upstream, headers={"Idempotency-Key": "k"})
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(ask(upstream, "GET", "/v1/customers").json()["data"]) == 1
        lost, found, _ = recorded(upstream)
        assert (lost.status, lost.backend_status, lost.spoiled) == (None, 200, True)
        assert (found.status, found.replayed, found.spoiled) == (200, True, False)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("reset_before", httpx.TransportError),
        ("torn_body", httpx.RemoteProtocolError),
        ("length_too_long", httpx.RemoteProtocolError),
        ("stalled_before", httpx.ReadTimeout),
        ("stalled_body", httpx.ReadTimeout),
        ("cut_json", ValueError),
        ("malformed_json", ValueError),
        ("not_utf8", ValueError),
        ("empty_body", ValueError),
        ("html", ValueError),
        ("deep_json", RecursionError),
    ],
)
def test_faults_on_the_wire(name, seen):
    """Each fault of the way to Stripe is seen by a client as what it is."""
    with opened() as (upstream, _):
        arm(upstream, Trouble(name, "POST /v1/customers"))
        with pytest.raises(seen):
            json.loads(ask(upstream, within=1 if seen is httpx.ReadTimeout else DEADLINE).content)


def test_a_stalled_call_is_told_while_it_stalls():
    """What a call has met, and what the backend made of it, is recorded before its answer leaves, if that ever does."""
    with opened() as (upstream, _):
        arm(upstream, Trouble("stalled_after", "POST /v1/customers", times=1))
        with pytest.raises(httpx.ReadTimeout):
            ask(upstream, within=1)
        (call,) = until(lambda: [call for call in upstream.calls(0) if call.backend_status is not None])
        assert (call.fault, call.backend_status, call.status) == ("stalled_after", 200, None)


def test_a_slow_answer_comes():
    """A delay alone changes nothing but the time."""
    with opened() as (upstream, _):
        arm(upstream, Trouble("slow_during", "POST /v1/customers"))
        started = time.monotonic()
        assert ask(upstream).status_code == 200
        assert time.monotonic() - started >= FAULTS["slow_during"].seconds


def test_a_redirect_leads_to_a_trap():
    """Whoever follows a redirect is seen to have done so, and gets nothing for it."""
    with opened() as (upstream, _):
        arm(upstream, Trouble("redirect_307", "POST /v1/customers"))
        assert ask(upstream, follow_redirects=True).status_code == 404
        assert [call.elsewhere for call in recorded(upstream)] == [False, True]


def test_https_with_its_own_authority(tmp_path):
    """By HTTPS the certificate verifies against the file that the upstream names, and against nothing else."""
    with opened(url="https://127.0.0.1:0", folder=str(tmp_path)) as (upstream, _):
        trusting = ssl.create_default_context(cafile=upstream.ca_file)
        assert ask(upstream, verify=trusting).status_code == 200
        with pytest.raises(httpx.ConnectError):
            ask(upstream)
        first = (tmp_path / "ca.pem").read_bytes()
    with opened(url="https://127.0.0.1:0", folder=str(tmp_path)) as (upstream, _):
        assert (tmp_path / "ca.pem").read_bytes() == first
        assert ask(upstream, verify=trusting).status_code == 200


@pytest.mark.filterwarnings("error")
def test_connections_that_are_kept_open_are_let_go_of():
    """A client that keeps its connections leaves the upstream nothing behind when that ends, by HTTP and by HTTPS."""
    double = Double(data_folder("fixtures"), clock=time.time, seed=1, api_version=NEWEST)
    server = UpstreamServer(DoubleBackend(double), ledger=Ledger())
    with ExitStack() as stack:
        stack.enter_context(server)
        trusting = ssl.create_default_context(cafile=server.ca_file)
        clients = [stack.enter_context(httpx.Client(verify=trusting, trust_env=False)) for _ in range(2)]
        for client, url in zip(clients, server.urls.values(), strict=True):
            assert client.get(f"{url}/v1/prices", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
        server.__exit__(None, None, None)
        gc.collect()  # what was not closed warns now
        for client, url in zip(clients, server.urls.values(), strict=True):
            with pytest.raises(httpx.ConnectError):
                client.get(f"{url}/v1/prices")


@pytest.mark.parametrize(
    "fault", [one for one in ConnectionFault if one.value in {"self_signed", "expired", "wrong_host", "untrusted"}]
)
def test_bad_certificates_are_bad(fault):
    """A client that verifies certificates refuses each of the bad ones, and has sent nothing."""
    ledger = Ledger()
    double = Double(data_folder("fixtures"), clock=time.time, seed=1, api_version=NEWEST)
    with UpstreamServer(DoubleBackend(double), ledger=ledger) as server:
        server.plan(Plan(connections=(fault,), lasting=True))
        trusting = ssl.create_default_context(cafile=server.ca_file)
        with httpx.Client(verify=trusting, trust_env=False) as client, pytest.raises(httpx.ConnectError):
            client.get(server.urls["https"] + "/v1/prices")
        assert server.calls() == ()


def test_a_port_that_is_taken():
    """A port where something else listens is refused in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=f"port {port} of 127.0.0.1 cannot be had"),
            opened(url=f"http://127.0.0.1:{port}"),
        ):
            pass


def test_a_backend_that_is_not_there():
    """Where nothing answers behind it, the target's connection is reset and what was recorded cannot be judged."""
    with opened(backend="http://127.0.0.1:9") as (upstream, _):
        with pytest.raises(httpx.TransportError):
            ask(upstream)
        with pytest.raises(InconclusiveError, match=r"http://127\.0\.0\.1:9 gives no answer") as error:
            upstream.check()
        assert error.value.reason is Reason.UPSTREAM_FAILED
        upstream.check()  # which is said once


def test_a_stripe_mock_that_cannot_run(tmp_path):
    """A program that is not there, or that is none, is refused in one line."""
    with pytest.raises(ConfigurationError, match="stripe-mock cannot be started: No such file"):
        stripe_mock(program=str(tmp_path / "none")).__enter__()
    with pytest.raises(ConfigurationError, match="stripe-mock ended before it listened"):
        stripe_mock(program="/bin/true").__enter__()


HOLDS = """
import sys
from payproof.adapters.upstream.stripe_mock import stripe_mock
with stripe_mock(program=sys.argv[1]) as mock:
    print(mock.url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("ending", ["killed", "ended"])
def test_a_stripe_mock_ends_with_its_run(tmp_path, ending):
    """stripe-mock outlives no run, however that ends."""
    program, number = tmp_path / "stripe-mock", tmp_path / "number"
    program.write_text(
        f'#!/bin/sh\necho $$ > {number}\necho "Listening for HTTP at address: 127.0.0.1:1"\nexec sleep 60\n'
    )
    program.chmod(0o755)
    command = (sys.executable, "-c", HOLDS, str(program))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout.readline() == b"http://127.0.0.1:1\n"
        started = int(number.read_text())
        assert running(started)
        if ending == "killed":
            run.kill()
        else:
            run.stdin.close()
        run.wait()
    until(lambda: not running(started))


def test_a_stripe_mock_that_is_asked_often():
    """stripe-mock, which tells of each call on its standard output, goes on answering when nobody wants to know."""
    program = shutil.which("stripe-mock")
    need("stripe-mock", present=program is not None)
    with stripe_mock(program=program) as mock, httpx.Client(base_url=mock.url, trust_env=False) as client:
        for _ in range(1500):  # each is told in more than 60 bytes, and a pipe holds 65,536
            answer = client.get("/v1/prices", headers={"Authorization": f"Bearer {KEY}"})
            assert answer.status_code == 200


class Dying:
    """A backend that answers once."""

    name = "a dying backend"
    works_within = False

    def __init__(self):
        self.answered = 0

    async def answer(self, request, failing):
        self.answered += 1
        if self.answered > 1:
            raise OSError("with a text that could hold " + KEY)
        return ApiAnswer(200, (("Content-Type", "application/json"),), b"{}")

    async def close(self):
        """Do nothing."""


@pytest.mark.harness_fault
def test_a_backend_that_dies():
    """A backend that fails in a way nobody foresaw makes the record unfit, by the place and not by the text."""
    with UpstreamServer(Dying(), ledger=Ledger(), https_port=None) as server:
        with httpx.Client(base_url=server.urls["http"], trust_env=False) as client:
            assert client.get("/v1/prices").status_code == 200
            server.check()
            with pytest.raises(httpx.TransportError):
                client.get("/v1/prices")
        with pytest.raises(InconclusiveError, match=r"OSError in test_upstream\.py") as error:
            server.check()
        assert KEY not in str(error.value)


def test_too_many_calls():
    """A target that calls without end is cut off, which is said."""
    with UpstreamServer(Dying(), ledger=Ledger(), https_port=None, limits=Limits(calls=1)) as server:
        with httpx.Client(base_url=server.urls["http"], trust_env=False) as client:
            client.get("/v1/prices")
            with pytest.raises(httpx.TransportError):
                client.get("/v1/prices")
        with pytest.raises(InconclusiveError, match="more than 1 calls"):
            server.check()


def test_a_compressed_call_is_refused_as_it_is():
    """What a target packs is neither unpacked, whatever it would cost, nor passed on: its record says that it is."""
    bomb = gzip.compress(b"") * 45_000
    with opened() as (upstream, _):
        assert ask(upstream, content=bomb, headers={"Content-Encoding": "gzip"}).status_code == 415
        (call,) = recorded(upstream)
        assert (call.unreadable, call.backend_status) == ("compressed", None)
        assert ask(upstream).status_code == 200


def test_stripe_itself_takes_test_keys_only():
    """Stripe's test mode is asked under a test key or not at all, and no other backend is at Stripe."""
    with pytest.raises(ConfigurationError, match="a live key is never used"):
        StripeTestMode(Secret("key", LIVE))
    with pytest.raises(ConfigurationError, match="no secret key of Stripe's test mode"):
        StripeTestMode(Secret("key", "pk_" + "test_" + "0123456789"))
    with pytest.raises(ConfigurationError, match="a backend at Stripe needs a test key"):
        HttpBackend("https://api.stripe.com")
    with pytest.raises(ConfigurationError, match="test mode needs a key"), opened(backend="stripe"):
        pass


def test_stripe_is_asked_under_the_given_key():
    """In Stripe's test mode a call goes out under the key of the target file, whatever key the target uses."""
    own = "rk_" + "test_" + "fedcba9876543210"
    double = Double(data_folder("fixtures"), clock=time.time, seed=1, api_version=NEWEST)
    with UpstreamServer(DoubleBackend(double), ledger=Ledger(), https_port=None) as stripe:
        backend = StripeTestMode(Secret("key", own), url=stripe.urls["http"])
        with (
            UpstreamServer(backend, ledger=Ledger(), https_port=None) as server,
            httpx.Client(base_url=server.urls["http"], trust_env=False) as client,
        ):
            headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
            answers = [client.post("/v1/customers", headers=headers) for _ in range(2)]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert [call.idempotency_key for call in stripe.calls()] == ["k", "k"]
        assert stripe._log.ledger.conceal(own.encode())[1]
        assert not stripe._log.ledger.conceal(KEY.encode())[1]


def test_faults_within_need_the_double():
    """A fault that strikes while the backend works is refused where the backend cannot have it."""
    with UpstreamServer(Dying(), ledger=Ledger(), https_port=None) as server, pytest.raises(ConfigurationError):
        server.plan(Plan((Rule((FAULTS["slow_during"],)),)))


def test_a_target_that_never_called_is_told_how():
    """The hint names the API base for each SDK, and is empty once a call has come."""
    with opened() as (upstream, _):
        hint = upstream.hint()
        assert all(f"stripe-{sdk}:" in hint for sdk in ("python", "node", "go", "ruby", "java", "php", "dotnet"))
        assert upstream.url in hint
        ask(upstream)
        assert upstream.hint() == ""


def test_an_unknown_error_is_named():
    """An error that Stripe does not document is refused with the nearest one."""
    with pytest.raises(ConfigurationError, match=r"nearest: card_declined\.lost_card"):
        Errors(data_folder("fixtures"), api_version=NEWEST)["card_declined.lost_crad"]


@pytest.mark.harness_fault
@pytest.mark.parametrize(
    "where",
    ["payproof.adapters.upstream.answering.record_call", "payproof.adapters.upstream.backends.DoubleBackend.answer"],
)
def test_a_fault_of_ours_is_told_as_one(monkeypatch, where):
    """What fails within the record or the double is neither the target's fault nor the backend's."""

    def broken(*_given, **_more):
        raise KeyError("ours")

    monkeypatch.setattr(where, broken)
    with opened() as (upstream, _):
        with suppress(httpx.HTTPError):
            ask(upstream)
        with pytest.raises(InconclusiveError) as caught:
            upstream.check()
    assert caught.value.reason is Reason.HARNESS_FAULT
    assert "KeyError" in caught.value.detail
