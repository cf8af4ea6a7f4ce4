"""The composed deployment on a real engine: brought up, proven by the harness from outside, searched from inside."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from payproof_reference.deploy import prepare
from payproof_reference.middleware.security import SECURITY_HEADERS
from tests.components import docker_answers, has_image, need
from tests.end_to_end.command import PAYPROOF, environment, payproof

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "reference_impl/deploy"
# To build, to start, to be proven and to stop, on a machine that is busy: bounds, not what it usually takes (90 s).
#: What the proxy, the database or the log of the deployment may change; all that there is takes a quarter of an hour.
TOPICS = ("access_control", "audit_log", "data_at_rest", "transmission", "webhook_signature", "webhook_unexpected")
BUILD_SECONDS, START_SECONDS, PROOF_SECONDS, STOP_SECONDS = 300, 180, 900, 120
LONG_RUNNING = ("billing", "caddy", "postgres", "stripe", "stripe-mock")


class Deployment:
    """One project of Compose, of either version, with secrets and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.secrets = folder / "secrets"
        prepare.main([str(self.secrets)])
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.inside = f"10.213.{os.getpid() % 256}.0/29"
        self.environment = {
            "COMPOSE_PROJECT_NAME": f"payproof-test-{os.getpid()}",
            "PAYPROOF": PAYPROOF,
            # A build needs the package index, which not every machine reaches from a network of the engine's.
            "PAYPROOF_BUILD_NETWORK": os.environ.get("PAYPROOF_BUILD_NETWORK", "host"),
            "PAYPROOF_BILLING_IMAGE": "payproof-billing:test",
            "PAYPROOF_BUILD": "test",
            "PAYPROOF_SECRETS": str(self.secrets),
            "PAYPROOF_PORT": str(self.port),
            "PAYPROOF_INSIDE": self.inside,
        }

    def run(self, *arguments: str, seconds: float = 30, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of Compose."""
        ended = subprocess.run(
            [*compose(), *arguments],
            cwd=ROOT,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert ended.returncode == 0 or not check, ended.stdout + ended.stderr
        return ended

    def inside_of(self, service: str, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        ended = subprocess.run(
            ["docker", "exec", self.container(service), *command],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert ended.returncode == 0 or not check, ended.stdout + ended.stderr
        return ended

    @cache  # noqa: B019 - Compose 1 takes most of a second, and there is one deployment
    def container(self, service: str) -> str:
        """Give the id of a container."""
        return self.run("ps", "-q", service).stdout.strip()

    def inspected(self, service: str) -> dict:
        """Give what the engine knows of a container."""
        return json.loads(docker("inspect", self.container(service)))[0]


@cache
def compose() -> list[str]:
    """Name the command of Compose, version 2 before version 1."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"]


def images() -> list[str]:
    """Name the images that the deployment starts from."""
    text = (ROOT / "docker-compose.yml").read_text()
    variables = re.findall(r"\$\{(PAYPROOF_(?:CADDY|POSTGRES|PYTHON|STRIPE_MOCK)_IMAGE):-([^}]+)\}", text)
    return [os.environ.get(name, usual) for name, usual in dict(variables).items()]


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """Bring the deployment up, and down again with all that it made, whatever happens."""
    made = Deployment(folder)
    try:
        made.run("build", seconds=BUILD_SECONDS)
        made.run("up", "--detach", seconds=START_SECONDS)
        until_healthy(made)
        yield made
    except BaseException:
        sys.stdout.write(made.run("logs", "--no-color", "--tail=50", check=False).stdout)
        raise
    finally:
        made.run("down", "--volumes", "--remove-orphans", "--timeout", "5", seconds=STOP_SECONDS)


def until_healthy(made: Deployment) -> None:
    """Wait for the last container, which nothing waits for."""
    end = time.monotonic() + START_SECONDS
    while made.inspected("caddy")["State"]["Health"]["Status"] != "healthy":
        assert time.monotonic() < end, made.run("ps").stdout
        time.sleep(0.5)


@pytest.mark.component("docker")
@pytest.mark.timeout(BUILD_SECONDS + START_SECONDS + PROOF_SECONDS + STOP_SECONDS)
def test_composed_deployment_holds(tmp_path):
    """The composed deployment comes up, passes the harness through its proxy, and is as closed as it says."""
    need("docker", docker_answers())
    need("docker compose", compose() == ["docker", "compose"] or shutil.which("docker-compose") is not None)
    for image in images():
        need(f"the image {image}", has_image(image))
    with deployed(tmp_path) as made:
        trust = tmp_path / "ca.pem"
        trust.write_text(made.inside_of("caddy", "cat", "/data/caddy/pki/authorities/local/root.crt").stdout)
        passes_the_harness(made)
        speaks_only_https(made, trust)
        tells_the_client_and_not_the_proxy(made)
        serves_a_tenant_of_the_operator(made, trust)
        containers_are_confined(made)
        links_inside_are_verified(made)
        service_reaches_stripe_by_tls(made)
        metrics_count_the_run(made)
        answers_generically_without_the_service(made, trust)


def passes_the_harness(made: Deployment) -> None:
    """What the deployment may change holds, by answers, log and database; the role that looks is gone afterwards."""
    chosen = [word for topic in TOPICS for word in ("--topic", topic)]
    ended = payproof(*chosen, program=str(DEPLOY / "prove"), env=environment(**made.environment), seconds=PROOF_SECONDS)
    assert ended.code == 0, ended.out + ended.err
    assert " 0 failed" in ended.out
    assert "errored" not in ended.out
    assert "waived" not in ended.out
    assert ask(made, "SELECT count(*) FROM pg_roles WHERE rolname = 'billing_watcher'").strip() == "0"


def speaks_only_https(made: Deployment, trust: Path) -> None:
    """By HTTPS each answer has the headers and no name of a server, old TLS and plain HTTP get nothing."""
    context = ssl.create_default_context(cafile=trust)
    for method, path, status in (("GET", "/health", 200), ("GET", "/nothing", 401), ("POST", "/webhooks/stripe", 401)):
        connection = HTTPSConnection("localhost", made.port, context=context, timeout=10)
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == status, body
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert not {"server", "via", "x-powered-by"} & {name.lower() for name in answer.headers}
    with socket.create_connection(("localhost", made.port), 10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = plain.recv(65_536)
    assert answer.split(b" ", 2)[1] == b"400"
    assert b'"status"' not in answer
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(trust)
    # Without level 0 the client itself would refuse, and the server would look strict.
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("localhost", made.port), 10) as plain, pytest.raises(ssl.SSLError) as refused:
        old.wrap_socket(plain, server_hostname="localhost")
    assert "PROTOCOL_VERSION" in str(refused.value)


def tells_the_client_and_not_the_proxy(made: Deployment) -> None:
    """The audit log has the address that Caddy saw, whatever the client says of itself."""
    request = urllib.request.Request(
        f"https://localhost:{made.port}/webhooks/stripe",
        data=b"{}",
        headers={"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.66", "X-Forwarded-Proto": "http"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10)
    refused.value.close()
    assert refused.value.code == 401
    origins = set(ask(made, "SELECT DISTINCT origin FROM audit_log WHERE event LIKE 'webhook%'").split())
    gateways = {one["Gateway"] for one in made.inspected("caddy")["NetworkSettings"]["Networks"].values()}
    assert origins
    assert origins <= gateways


def serves_a_tenant_of_the_operator(made: Deployment, trust: Path) -> None:
    """The operator's commands make a tenant and a credential, with which a customer is made at Stripe; all recorded."""

    def operator(*command: str) -> str:
        # Compose 1 writes the dependencies that it starts to the same place.
        return made.run("run", "--rm", "operator", *command).stdout.split()[-1]

    tenant = operator("create-tenant")
    token = operator("create-credential", "--tenant", tenant, "--role", "owner")
    request = urllib.request.Request(
        f"https://localhost:{made.port}/v1/customers", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=trust), timeout=20) as answer:
        assert answer.status == 201
        customer = json.load(answer)["id"]
    recorded = f"SELECT event FROM audit_log WHERE tenant_id = '{tenant}' ORDER BY sequence"
    assert ask(made, recorded).split() == [
        *("tenant_created", "credential_created"),
        *("operation_requested", "operation_succeeded"),
    ]
    assert ask(made, f"SELECT tenant_id FROM customers WHERE stripe_customer_id = '{customer}'").strip() == tenant
    made.run("run", "--rm", "operator", "verify-audit")


def ask(made: Deployment, question: str) -> str:
    """Ask the database, as its superuser, who exists inside the container only."""
    script = f'su -s /bin/sh postgres -c "psql -At -d billing -c \\"{question}\\""'
    return made.inside_of("postgres", "sh", "-c", script).stdout


def containers_are_confined(made: Deployment) -> None:
    """What runs is not root, can write nothing and gain no rights; only Caddy has a port, and only on the loopback."""
    for service in LONG_RUNNING:
        found = made.inspected(service)
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert min(host["Memory"], host["NanoCpus"], host["PidsLimit"]) > 0
        assert found["RestartCount"] == 0
        assert service == "stripe-mock" or found["State"]["Health"]["Status"] == "healthy"
        published = [entry for entries in found["NetworkSettings"]["Ports"].values() for entry in entries or ()]
        expected = [{"HostIp": "127.0.0.1", "HostPort": str(made.port)}] if service == "caddy" else []
        assert published == expected
    for service in ("billing", "caddy", "stripe"):
        assert made.inside_of(service, "id", "-u").stdout.strip() == "10001"
        assert made.inside_of(service, "sh", "-c", "echo x > /app-or-etc-or-anything", check=False).returncode != 0
        status = made.inside_of(service, "cat", "/proc/1/status").stdout
        effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
        assert int(effective, 16) == 0
        assert "NoNewPrivs:\t1" in status
    for path in ("/app/payproof_reference/app.py", "/opt/venv/x", "/tls/key.pem"):
        assert made.inside_of("billing", "sh", "-c", f"echo x >> {path}", check=False).returncode != 0
    # The server itself is not root either, though its start was.
    assert made.inside_of("postgres", "stat", "-c", "%U", "/proc/1").stdout.strip() == "postgres"


def links_inside_are_verified(made: Deployment) -> None:
    """The service's sessions are TLS; without it, as another role or on another database, there is no way in."""
    sessions = "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'billing_service'"
    assert ask(made, f"SELECT DISTINCT ssl, version FROM {sessions}").split() == ["t|TLSv1.3"]
    tried = """
import os, sys, psycopg
url = os.environ["BILLING_DATABASE_URL"]
for changed in (
    url.replace("verify-full", "disable"),
    url.replace("/billing?", "/postgres?"),
    url.replace("@postgres", "@" + __import__("socket").gethostbyname("postgres")),
):
    try:
        psycopg.connect(changed, connect_timeout=3).close()
    except psycopg.OperationalError:
        continue
    sys.exit(changed.split("@")[1])
with psycopg.connect(url) as connection:
    try:
        connection.execute("UPDATE audit_log SET origin = 'x'")
    except psycopg.errors.InsufficientPrivilege:
        sys.exit(0)
sys.exit("the role can change the audit log")
"""
    made.inside_of("billing", "python", "-c", tried)
    # A database without TLS on another machine is refused by the service itself, before it connects.
    weaker = (
        'BILLING_DATABASE_URL=$(echo "$BILLING_DATABASE_URL" | sed s/verify-full/prefer/) python -m payproof_reference'
    )
    refused = made.inside_of("billing", "sh", "-c", weaker, check=False)
    assert refused.returncode == os.EX_CONFIG
    assert "PostgreSQL needs TLS" in refused.stdout + refused.stderr


def service_reaches_stripe_by_tls(made: Deployment) -> None:
    """A call goes to stripe-mock through its proxy, whose certificate only the inside's authority vouches for."""
    call = """
import sys
from pathlib import Path
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.settings import Settings, load_settings
settings = load_settings(Settings)
def customer(ca_file):
    way = Connection(settings.stripe_api_key, Caller(Breaker()), api_base=settings.stripe_api_base, ca_file=ca_file)
    return LiveStripe(way).create_customer(reference="x", idempotency_key="compose-test-0123456789")
print(customer(settings.stripe_ca_file).id)
try:
    customer(None)
except BillingError as error:
    sys.exit(None if error.category == "configuration" else error.category)
sys.exit("an authority that nobody named was trusted")
"""
    told = made.inside_of("billing", "python", "-c", call).stdout.splitlines()
    assert any(line.startswith("cus_") for line in told), told


def metrics_count_the_run(made: Deployment) -> None:
    """Inside the container, and only there, the metrics have counted what the harness did."""
    look = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9464/metrics', timeout=5).read().decode())"
    told = dict(
        line.rsplit(" ", 1)
        for line in made.inside_of("billing", "python", "-c", look).stdout.splitlines()
        if line and not line.startswith("#")
    )
    assert float(told['billing_webhook_deliveries_total{reason="applied",result="accepted"}']) > 0
    assert float(told['billing_webhook_deliveries_total{reason="no_matching_signature",result="rejected"}']) > 0
    assert told["billing_database_up"] == "1.0"
    assert float(told["billing_tls_certificate_expiry_timestamp_seconds"]) > time.time() + 80 * 86_400
    assert any(name.startswith('billing_build_info{build="test",') for name in told)
    outside = "import socket; socket.create_connection((socket.gethostbyname('billing'), 9464), 3)"
    assert made.inside_of("billing", "python", "-c", outside, check=False).returncode != 0


def answers_generically_without_the_service(made: Deployment, trust: Path) -> None:
    """While the service is gone the proxy answers 503 as it would, headers and all, and does not name itself."""
    made.run("stop", "--timeout", "5", "billing")
    connection = HTTPSConnection("localhost", made.port, context=ssl.create_default_context(cafile=trust), timeout=20)
    connection.request("GET", "/health")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert (answer.status, json.loads(body)["error"]["code"]) == (503, "service_unavailable")
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert not {"server", "via"} & {name.lower() for name in answer.headers}
    state = made.inspected("billing")["State"]
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
