"""stripe-mock as a backend from both places that it can come from: a program of this machine, and a container."""

import os
import shutil
import subprocess
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest

from payproof.adapters.upstream import UpstreamServer, stripe_mock
from payproof.canary import Ledger
from payproof.domain.operation import UpstreamSpec
from payproof.session.upstream import open_upstream
from tests.components import docker_answers, has_image, need
from tests.double import API_KEY, NEWEST

IMAGE = os.environ.get("PAYPROOF_STRIPE_MOCK_IMAGE", "stripe/stripe-mock:v0.197.0")


def ask(url: str) -> list[tuple[int, str]]:
    """Create a customer by a call that it must take, and by one that it must refuse."""
    answers = []
    with closing(httpx.Client(base_url=url, trust_env=False)) as client:
        for form in ({"name": "A"}, {"nonsense": "B"}):
            answer = client.post("/v1/customers", data=form, headers={"Authorization": f"Bearer {API_KEY}"})
            answers.append((answer.status_code, answer.json().get("object", "error")))
    return answers


def containers(url: str) -> list[bytes]:
    """Return the containers behind an address; tests beside this one have theirs."""
    behind = ("docker", "ps", "--quiet", "--no-trunc", "--filter", f"publish={urlsplit(url).port}")
    return subprocess.run(behind, capture_output=True, check=True, timeout=30).stdout.split()


RIGHT = [(200, "customer"), (400, "error")]


@pytest.mark.timeout(300)
def test_from_a_container():
    """It answers from a container of testcontainers behind the upstream, and the container is gone afterwards."""
    need("docker", docker_answers())
    need(f"the image {IMAGE}", has_image(IMAGE))
    with stripe_mock(image=IMAGE) as mock:
        (container,) = containers(mock.url)
        with UpstreamServer(mock, ledger=Ledger(), https_port=None) as server:
            assert ask(server.urls["http"]) == RIGHT
            assert [call.backend_status for call in server.calls()] == [200, 400]
        server.check()
    known = subprocess.run(("docker", "inspect", container), capture_output=True, check=False, timeout=30)
    assert known.returncode == 1


def test_from_a_program():
    """It answers as a program that a target file asks for by name."""
    need("stripe-mock", shutil.which("stripe-mock") is not None)
    spec = UpstreamSpec(url="http://127.0.0.1:0", backend="stripe-mock")
    with open_upstream(spec, ledger=Ledger(), api_version=NEWEST, seed=1) as upstream:
        assert ask(upstream.url) == RIGHT
        assert [call.backend_status for call in upstream.calls(0)] == [200, 400]
        upstream.check()
