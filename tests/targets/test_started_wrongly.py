"""A webhook in Flask is started without its secret: what is safe passes, and what takes everything then does not."""

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from payproof.adapters.instances import free_port
from payproof.domain.verdict import Failed, Passed, Skipped
from payproof.reporters.phrasing import summary
from payproof.session import all_scenarios, choose, event_factory, open_session
from tests.error_pages._programs import python
from tests.waiting import until

pytestmark = pytest.mark.thorough

SHOP = Path(__file__).parent / "flask_shop.py"
TARGET = """
name = "Flask shop"
url = "http://127.0.0.1:{port}"
environment = "local"

[webhook]
path = "/webhook"
secret_env = "STRIPE_WEBHOOK_SECRET"
api_version = "{version}"

[[stores]]
name = "database"
url = "sqlite:shop.db"

[[waive]]
channel = "log"
reason = "the shop writes no log of its own"

[process]
start = ["{python}", "flask_shop.py", "{mode}"]
port_variable = "PORT"
secret_variable = "STRIPE_WEBHOOK_SECRET"

[budget]
patience = 5
"""


@contextmanager
def session_on_shop(folder, mode):
    """Run the shop as its owner does, and open a session on it."""
    program, _ = python()
    shutil.copy(SHOP, folder)
    port, secret = free_port(), "whsec_" + secrets.token_hex(16)
    (folder / "secret.txt").write_text(secret)
    version = event_factory(0).versions()[-1]
    file = folder / "payproof.toml"
    file.write_text(TARGET.format(port=port, version=version, python=program, mode=mode))
    variables = {"STRIPE_WEBHOOK_SECRET": secret, "PORT": str(port)}
    with subprocess.Popen(
        [program, SHOP.name, mode],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as shop:
        try:
            until(lambda: _listens(port))
            with patch.dict(os.environ, {"STRIPE_WEBHOOK_SECRET": secret}), open_session(file, seed=1) as session:
                yield session
        finally:
            shop.kill()


def _listens(port):
    probe = f"import socket; socket.create_connection(('127.0.0.1', {port})).close()"
    return not subprocess.run([sys.executable, "-c", probe], check=False, capture_output=True).returncode


def verdicts(session, name):
    """Run the cases of a scenario; return their verdicts by name."""
    return {
        case.name: session.judge_case(scenario, case).verdict
        for scenario, case in choose(all_scenarios(), ids=[f"started_wrongly/{name}"])
    }


@pytest.mark.parametrize("mode", ["careful", "refusing"])
def test_a_shop_that_refuses_passes(tmp_path, mode):
    """Not to start, and to answer 503 to everything, are both safe."""
    with session_on_shop(tmp_path, mode) as session:
        for name, verdict in verdicts(session, "without_secret").items():
            assert isinstance(verdict, Passed), f"{name}: {summary(verdict)}"


def test_a_shop_that_verifies_only_with_a_secret_fails(tmp_path):
    """Every forgery is applied where there is no secret."""
    with session_on_shop(tmp_path, "trusting") as session:
        for name, verdict in verdicts(session, "without_secret").items():
            assert isinstance(verdict, Failed), f"{name}: {summary(verdict)}"
            assert {one.check for one in verdict.findings} == {"not_started_or_rejected"}


def test_a_shop_that_has_its_secret_from_elsewhere_is_not_judged(tmp_path):
    """Nothing was tried out where the secret came from a file."""
    with session_on_shop(tmp_path, "from_file") as session:
        for name, verdict in verdicts(session, "without_secret").items():
            assert isinstance(verdict, Skipped), f"{name}: {summary(verdict)}"
            assert "knows the right one" in verdict.why


def test_what_examples_leave_behind_is_a_key_like_any_other(tmp_path):
    """stripe-python takes what it is given: a placeholder too."""
    with session_on_shop(tmp_path, "careful") as session:
        assert all(isinstance(one, Failed) for one in verdicts(session, "placeholder_secret").values())


def test_a_shop_without_an_api_key_variable_is_skipped(tmp_path):
    """What the target file does not tell of is not tried out."""
    with session_on_shop(tmp_path, "careful") as session:
        for verdict in verdicts(session, "without_api_key").values():
            assert isinstance(verdict, Skipped)
            assert "api_key_variable" in verdict.why
