import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trustme

from payproof_reference.database import schema
from tests.reference_impl.deliveries import event, new_api_key, new_key, new_secret, signed
from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parents[2]


class Service:
    """The service as its own process, with what it wrote so far."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.secret = environment["BILLING_STRIPE_WEBHOOK_SECRET"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "payproof_reference"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        # What comes before is of the audit log, and has its own tests.
        self.earlier: list[dict[str, object]] = []
        for line in map(json.loads, self.process.stdout):
            if line["event"] == "service_started":
                break
            self.earlier.append(line)
        self.lines = [line]
        self.port = self.lines[0]["port"]
        self.reader = threading.Thread(target=lambda: self.lines.extend(map(json.loads, self.process.stdout)))
        self.reader.start()

    def end(self) -> int:
        code = self.process.wait(DEADLINE)
        self.reader.join(DEADLINE)
        return code

    def close(self) -> None:
        self.process.kill()
        self.end()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


@pytest.fixture
def environment(tmp_path: Path, authority: trustme.CA) -> dict[str, str]:
    """An environment in which the service starts."""
    leaf = authority.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BILLING_")}
    return inherited | {
        "BILLING_DATABASE_URL": f"sqlite:///{tmp_path}/billing.db",
        "BILLING_MIGRATE": "1",
        "BILLING_AUDIT_KEY": new_key(),
        "BILLING_CREDENTIAL_KEY": new_key(),
        "BILLING_STRIPE_API_KEY": new_api_key(),
        "BILLING_STRIPE_API_BASE": "http://127.0.0.1:9",
        "BILLING_RETURN_URL": "https://shop.test/billing",
        "BILLING_STRIPE_WEBHOOK_SECRET": new_secret(),
        "BILLING_TLS_CERTIFICATE": str(tmp_path / "certificate.pem"),
        "BILLING_TLS_PRIVATE_KEY": str(tmp_path / "key.pem"),
        "BILLING_STOP_WITH_PARENT": "1",
    }


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[Service]:
    """A running service."""
    running = Service(environment)
    yield running
    running.close()


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    """A client context that trusts the service's certificate."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def client(service: Service, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    """A client of the running service."""
    with httpx.Client(verify=trust, base_url=f"https://127.0.0.1:{service.port}", timeout=DEADLINE) as opened:
        yield opened


def test_signed_delivery_is_accepted_over_https(service, client):
    """The process says where it listens, takes a delivery, and logs neither payload nor secret nor server name."""
    body = event(id="evt_1", note="canary-in-the-payload")
    answer = client.post("/webhooks/stripe", content=body, headers=signed(body, service.secret))
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert "server" not in answer.headers
    assert "date" in answer.headers
    service.process.send_signal(signal.SIGTERM)
    service.end()
    assert [line["event"] for line in service.lines] == ["service_started", "webhook_accepted"]
    assert service.lines[0]["host"] == "127.0.0.1"
    assert "canary-in-the-payload" not in str(service.lines)
    assert service.secret not in str(service.lines)


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "end of input"])
def test_service_stops_when_told(service, client, ending):
    """Either signal, or the end of its standard input, ends the process cleanly and soon, idle clients or not."""
    client.get("/health")
    if ending == "end of input":
        service.process.stdin.close()
    else:
        service.process.send_signal(signal.Signals[ending])
    assert service.end() == 0
    assert service.process.stderr.read() == b""


@pytest.mark.parametrize(
    "fields", [b"Content-Length: 104857600", b"Transfer-Encoding: chunked"], ids=["sized", "chunked"]
)
def test_upload_that_is_refused_is_not_taken(service, trust, fields):
    """A body that is too large, or whose sender nobody knows, is answered at once, and the connection ends."""
    for path, status in ((b"/webhooks/stripe", b"413"), (b"/v1/customers", b"401")):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + fields + b"\r\n\r\n"
        with (
            socket.create_connection(("127.0.0.1", service.port), DEADLINE) as plain,
            trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(head)
            if b"chunked" in fields:
                with suppress(OSError):
                    for _ in range(24):
                        connection.sendall(b"%x\r\n%s\r\n" % (65_536, b" " * 65_536))
            found = b""
            while b"\r\n\r\n" not in found:
                more = connection.recv(65_536)
                assert more, found
                found += more
            assert (found.split()[1], b"\r\nconnection: close\r\n" in found.lower()) == (status, True)


def test_copies_at_once_have_one_effect(service, client):
    """Of twenty copies over as many connections all are acknowledged and one is applied."""
    body = event()
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(
                lambda _: client.post("/webhooks/stripe", content=body, headers=signed(body, service.secret)), range(20)
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    service.process.send_signal(signal.SIGTERM)
    service.end()
    assert sorted(line["outcome"] for line in service.lines[1:]) == ["applied"] + ["duplicate"] * 19


def test_inbox_survives_a_restart(service, client, environment, trust):
    """A copy that arrives after the process was killed and started again is a duplicate."""
    body = event()
    client.post("/webhooks/stripe", content=body, headers=signed(body, service.secret))
    service.close()
    second = Service(environment)
    try:
        address = f"https://127.0.0.1:{second.port}/webhooks/stripe"
        answer = httpx.post(address, content=body, headers=signed(body, second.secret), verify=trust)
        second.process.send_signal(signal.SIGTERM)
        second.end()
    finally:
        second.close()
    assert answer.status_code == 200
    assert second.lines[1]["outcome"] == "duplicate"


@pytest.mark.parametrize("signature", ["t=1,v1=" + "a" * 65_536, "t=1" + (",v1=" + "a" * 64) * 10_000, "t=1,v1=\xe9"])
def test_strange_header_is_answered_like_every_bad_signature(client, signature):
    """A header of 64 KB, one of 10,000 entries and one beyond ASCII are answered 401 and not by a broken connection."""
    answer = client.post("/webhooks/stripe", content=b"{}", headers={"Stripe-Signature": signature.encode("latin-1")})
    assert answer.status_code == 401


def test_malformed_request_is_answered_generically(service, trust):
    """What is no HTTP gets the generic 400 with the headers of every answer."""
    with (
        socket.create_connection(("127.0.0.1", service.port), DEADLINE) as plain,
        trust.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00canary\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"max-age=63072000; includeSubDomains" in answer
    assert answer.endswith(b'{"error":{"code":"bad_request","message":"The request could not be understood."}}')
    service.process.send_signal(signal.SIGTERM)
    service.end()
    assert service.lines[1]["event"] == "Invalid HTTP request received."


@pytest.mark.parametrize(
    ("version", "accepted"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
def test_old_tls_is_refused(service, version, accepted):
    """TLS 1.2 and 1.3 are spoken, 1.1 is refused by the service and not by the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", service.port), DEADLINE) as plain:
        if accepted:
            with context.wrap_socket(plain) as connection:
                assert connection.version() is not None
        else:
            with pytest.raises(ssl.SSLError, match=r"EOF|PROTOCOL_VERSION"):
                context.wrap_socket(plain)


def test_plain_http_is_not_spoken(service):
    """A request without TLS gets no answer."""
    with socket.create_connection(("127.0.0.1", service.port), DEADLINE) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in plain.recv(65_536)


def test_renewed_certificate_is_taken_at_sighup(service, environment, authority, client):
    """After the signal new connections get the new certificate, and a bad one does not stop the service."""
    certificate, key = (Path(environment[f"BILLING_TLS_{name}"]) for name in ("CERTIFICATE", "PRIVATE_KEY"))
    shown = [certificate_shown(service)]
    renewed = authority.issue_cert("127.0.0.1")
    for leaf, outcome in ((renewed.cert_chain_pems[0].bytes(), "taken"), (b"half of it", "refused")):
        certificate.write_bytes(leaf)
        renewed.private_key_pem.write_to_path(key)
        service.process.send_signal(signal.SIGHUP)
        until(lambda outcome=outcome: service.lines[-1]["event"] == f"certificate_{outcome}")
        shown.append(certificate_shown(service))
    assert shown[0] != shown[1] == shown[2] == ssl.PEM_cert_to_DER_cert(renewed.cert_chain_pems[0].bytes().decode())
    assert client.get("/health").status_code == 200


def certificate_shown(service: Service) -> bytes:
    """Give the certificate of a fresh connection."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", service.port), timeout=DEADLINE))


def test_metrics_have_a_listener_of_their_own(environment, trust):
    """They are told by plain HTTP at another port, count what the service does, and are not on the service's port."""
    running = Service(environment | {"BILLING_METRICS_PORT": "0", "BILLING_BUILD": "1.2.3-test"})
    try:
        # The two servers begin at the same time.
        until(lambda: any(line["event"] == "metrics_started" for line in [*running.earlier, *running.lines]))
        told = next(line for line in [*running.earlier, *running.lines] if line["event"] == "metrics_started")
        assert told["host"] == "127.0.0.1"
        body = event()
        service, metered = f"https://127.0.0.1:{running.port}", f"http://127.0.0.1:{told['port']}"
        with httpx.Client(verify=trust) as client:
            client.post(f"{service}/webhooks/stripe", content=body, headers=signed(body, running.secret))
            client.post(f"{service}/webhooks/stripe", content=body, headers={"Stripe-Signature": "t=1"})
            # As every path there that is not public, whether it exists or not.
            assert client.get(f"{service}/metrics").status_code == 401
            answer = client.get(f"{metered}/metrics")
            assert client.get(f"{metered}/health").status_code == 404
            assert client.post(f"{metered}/metrics").status_code == 405
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "server" not in answer.headers
        for line in (
            'billing_build_info{build="1.2.3-test",',
            'billing_webhook_deliveries_total{reason="applied",result="accepted"} 1.0',
            'billing_webhook_deliveries_total{reason="malformed_header",result="rejected"} 1.0',
            'billing_answers_total{status="401"} 2.0',
            "billing_database_up 1.0",
            'billing_stripe_breaker_state{state="closed"} 1.0',
        ):
            assert f"\n{line}" in answer.text
        for private in ("process_", "python_", running.secret, str(environment["BILLING_TLS_CERTIFICATE"])):
            assert private not in answer.text
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == 0
    finally:
        running.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_WEBHOOK_SECRET", ""),
        ("STRIPE_WEBHOOK_SECRET", "whsec_" + "test_secret"),
        ("STRIPE_WEBHOOK_SECRET", "sk_" + "live_" + "0a1b2c3d4e5f6g7h8i9j0k1l"),
        ("STRIPE_PREVIOUS_WEBHOOK_SECRETS", '[{"secret": "whsec_changeme", "valid_until": "2030-01-01T00:00:00Z"}]'),
        ("TLS_CERTIFICATE", "/nowhere.pem"),
        ("TLS_PRIVATE_KEY", "/dev/null"),
        ("DATABASE_URL", "sqlite:////nowhere/at/all/billing.db"),
        ("HOST", "203.0.113.1"),
        ("DATABASE_URL", "postgresql://billing@db.invalid/billing?sslmode=prefer"),
        ("TRUSTED_PROXIES", '["*"]'),
    ],
)
def test_unsafe_start_is_refused(environment, name, value):
    """An unsafe setting ends the start with code 78 and one line that names the setting and shows no value."""
    ended = subprocess.run(
        [sys.executable, "-m", "payproof_reference"],
        cwd=ROOT,
        env=environment | {f"BILLING_{name}": value},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (os.EX_CONFIG, "")
    (line,) = ended.stderr.splitlines()
    assert f"BILLING_{name}" in line
    assert not value or value not in line
    assert environment["BILLING_STRIPE_WEBHOOK_SECRET"] not in line


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_operator_migrates_and_the_service_runs_on_postgresql(environment, database, trust):
    """The owner's role migrates, the service's own takes a delivery, and the log that it kept is verified."""
    made = database.fresh(migrated=False)
    environment |= {"BILLING_DATABASE_URL": made.service, "BILLING_MIGRATE": "0"}
    migrated = command(environment | {"BILLING_MIGRATION_DATABASE_URL": made.owner}, "migrate")
    assert (migrated.returncode, migrated.stdout) == (0, f"schema: {schema.HEAD}\n")
    running = Service(environment)
    try:
        body = event()
        address = f"https://127.0.0.1:{running.port}/webhooks/stripe"
        assert httpx.post(address, content=body, headers=signed(body, running.secret), verify=trust).status_code == 200
    finally:
        running.close()
    checked = command(environment, "verify-audit")
    assert (checked.returncode, checked.stdout[:18]) == (0, "intact: 3 records;")
    database.drop(made)


def command(environment: dict[str, str], name: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service to its end."""
    return subprocess.run(
        [sys.executable, "-m", "payproof_reference", name],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
