import socket
from contextlib import closing

import pytest

from payproof.adapters.upstream.stripe_mock import stripe_mock
from payproof.errors import ConfigurationError
from payproof.session import open_session
from tests.components import need
from tests.end_to_end import hostile
from tests.end_to_end.command import SECRET, SECRET_ENV, payproof_here, target_file
from tests.end_to_end.hostile import Server
from tests.end_to_end.merchant import OPERATIONS, merchant

DECLINED = ("--scenario", "error_handling/declines[insufficient_funds]")
RETRIED = ("--scenario", "error_handling/retry[reset_after]")


def free_port():
    """Return a port where nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return found.getsockname()[1]


@pytest.fixture
def stripe():
    """Where the upstream is to listen."""
    return f"http://127.0.0.1:{free_port()}"


def described(folder, server, stripe, backend=""):
    """Write the target file of a merchant."""
    return target_file(folder, server.url, sources=OPERATIONS.format(upstream=stripe, backend=backend))


def ran(file, *choice):
    """Run cases on a target, and have each told."""
    return payproof_here("run", "--verbose", "--target", file, *choice)


def test_a_careful_target_passes(tmp_path, stripe):
    """A target that tells a decline as such and repeats lost calls under one key passes, on the double."""
    with Server(merchant(stripe)) as server:
        ended = ran(described(tmp_path, server, stripe), *DECLINED, *RETRIED)
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "2 passed, 0 failed" in ended.out


def test_a_target_that_pays_twice_fails(tmp_path, stripe):
    """A target that repeats a lost call under another key is caught by what Stripe then did."""
    with Server(merchant(stripe, one_key=False)) as server:
        ended = ran(described(tmp_path, server, stripe), *RETRIED)
    assert ended.code == 1, ended.out
    assert "one Idempotency-Key on all calls" in ended.out
    assert "at most 1 done at Stripe" in ended.out


def test_a_target_that_gives_up_fails(tmp_path, stripe):
    """A target that does not repeat what came to nothing fails."""
    with Server(merchant(stripe, attempts=1)) as server:
        ended = ran(described(tmp_path, server, stripe), *RETRIED)
    assert ended.code == 1, ended.out
    assert "the call again after the fault" in ended.out


def test_stripe_mock_answers_behind_the_upstream(tmp_path, stripe):
    """The same cases run with stripe-mock behind the upstream, by name and by address."""
    try:
        with stripe_mock() as mock, Server(merchant(stripe)) as server:
            by_address = ran(described(tmp_path, server, stripe, f'backend = "{mock.url}"'), *DECLINED)
            by_name = ran(described(tmp_path, server, stripe, 'backend = "stripe-mock"'), *RETRIED)
    except ConfigurationError:
        need("stripe-mock", present=False)
    assert (by_address.code, by_name.code) == (0, 0), by_address.out + by_name.out


def test_what_needs_the_double_is_skipped_on_another_backend(tmp_path, stripe):
    """A fault within Stripe's work is skipped, with the reason, where the backend cannot have it."""
    with Server(merchant(stripe)) as server:
        file = described(tmp_path, server, stripe, 'backend = "http://127.0.0.1:9"')
        ended = ran(file, "--scenario", "error_handling/retry[slow_during]")
    assert ended.code == 5
    assert "the backend of [upstream] is not the built-in double" in ended.out


def test_a_target_that_never_calls(tmp_path, stripe):
    """A target that does not call the upstream is no pass, and its owner is told how to set the API base."""
    with Server(hostile.always(200)) as server:
        ended = ran(described(tmp_path, server, stripe), *DECLINED)
    assert ended.code == 3
    assert f"the target has not called {stripe}" in ended.out
    for sdk in ("python", "node", "go", "ruby", "java", "php", "dotnet"):
        assert f"stripe-{sdk}:" in ended.out


def test_a_port_that_is_taken(tmp_path):
    """A port where something else listens ends the run with one line and code 4."""
    with Server(hostile.always(200)) as server, closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = ran(described(tmp_path, server, f"http://127.0.0.1:{port}"), *DECLINED)
    assert (ended.code, ended.out) == (4, "")
    assert ended.line.startswith(f"payproof: port {port} of 127.0.0.1 cannot be had: Address already in use; stop what")


def test_a_backend_that_is_not_there(tmp_path, stripe):
    """Where nothing answers behind the upstream the case is unknown, by the backend's fault and not the target's."""
    with Server(merchant(stripe)) as server:
        ended = ran(described(tmp_path, server, stripe, 'backend = "http://127.0.0.1:9"'), *DECLINED)
    assert ended.code == 3
    assert "upstream failed: http://127.0.0.1:9 gives no answer" in ended.out


def test_a_backend_that_dies_during_a_run(tmp_path, stripe):
    """A backend that goes away during a run leaves what came before judged, and what comes after unknown."""
    with hostile.stopping_after(1) as backend, Server(merchant(stripe)) as server:
        file = described(tmp_path, server, stripe, f'backend = "{backend.url}"')
        ended = ran(file, *DECLINED, "--scenario", "error_handling/declines[expired_card]")
    assert ended.code == 3, ended.out
    assert "1 errored" in ended.out
    assert "upstream failed" in ended.out


def test_workers_cannot_share_an_upstream(tmp_path, stripe, monkeypatch):
    """Several sessions on one target cannot all listen at its address, which is said before anything is sent."""
    monkeypatch.setenv(SECRET_ENV, SECRET)
    with Server(merchant(stripe)) as server:
        file = described(tmp_path, server, stripe)
        with pytest.raises(ConfigurationError, match="run without -n"), open_session(file, shared=True):
            pass
        assert not server.requests


@pytest.mark.parametrize("kind", ["sk_", "rk_"])
def test_a_live_key_for_the_test_mode(tmp_path, stripe, monkeypatch, kind):
    """A live key in the variable of `key_env` ends the run with one line and code 4, which does not show it."""
    key = kind + "live_" + "0123456789abcdef"
    monkeypatch.setenv("STRIPE_TEST_KEY", key)
    with Server(merchant(stripe)) as server:
        file = described(tmp_path, server, stripe, 'backend = "stripe"\nkey_env = "STRIPE_TEST_KEY"')
        ended = ran(file, *DECLINED)
    assert (ended.code, ended.out) == (4, "")
    assert "STRIPE_TEST_KEY holds a live Stripe key" in ended.line
    assert key not in ended.err
