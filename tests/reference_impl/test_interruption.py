import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from payproof_reference.services.audit.chain import IntactLog
from tests.reference_impl import test_process as process
from tests.waiting import DEADLINE, until

environment = process.environment


class Stripe(ThreadingHTTPServer):
    """Stripe's customers as a process of no kind can lose them: each key creates one, whatever becomes of the answer.

    The first `held` requests get no answer, though what they ask for is done.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, held: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.held = held
        self.customers: dict[str, str] = {}
        self.keys: list[str] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def wait_for(self, requests: int) -> None:
        until(lambda: len(self.keys) >= requests)


class Handler(BaseHTTPRequestHandler):
    server: Stripe

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        with self.server.lock:
            self.server.keys.append(key)
            is_held = len(self.server.keys) <= self.server.held
            made = self.server.customers.setdefault(key, f"cus_{len(self.server.customers)}")
        if is_held:
            self.server.closing.wait(DEADLINE)
            return
        body = json.dumps({"id": made, "object": "customer"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stripe() -> Iterator[Stripe]:
    """Stripe, which holds the answers to the first two requests back."""
    with Stripe(held=2) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def deployment(environment, addresses, settings, stripe) -> dict[str, str]:
    """The environment of every process, on a database that outlives them."""
    return environment | {
        "BILLING_DATABASE_URL": addresses.service,
        "BILLING_MIGRATE": "0",
        "BILLING_AUDIT_KEY": settings.audit_key.get_secret_value(),
        "BILLING_STRIPE_API_BASE": f"http://127.0.0.1:{stripe.server_address[1]}",
        "BILLING_WORKER_SECONDS": "0.1",
    }


def run_out(engine) -> None:
    """Let the claim of the killed process run out, as time would."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operations SET claimed_until = 0 WHERE claimed_until IS NOT NULL")


def status(engine) -> list[str]:
    """Read the status of all operations."""
    with engine.connect().execution_options(read_only=True) as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT status FROM operations")]


@pytest.mark.thorough
@pytest.mark.parametrize("ending", ["SIGKILL", "SIGTERM"])
def test_operation_outlives_every_process(deployment, engine, audit, stripe, ending):
    """Killed while a request asks Stripe, then ended while the worker does, it is done once when the service is up."""
    command = [sys.executable, process.ROOT / "tests/reference_impl/intake_process.py"]
    with subprocess.Popen(command, cwd=process.ROOT, env=deployment, stdout=subprocess.DEVNULL) as asking:
        stripe.wait_for(1)
        asking.kill()
    assert status(engine) == ["pending"]
    run_out(engine)
    first = process.Service(deployment)
    try:
        stripe.wait_for(2)
        first.process.send_signal(signal.Signals[ending])
        code = first.end()
        assert code == (0 if ending == "SIGTERM" else -signal.SIGKILL)
        assert first.process.stderr.read() == b""
    finally:
        first.close()
    assert status(engine) == ["pending"]
    run_out(engine)
    second = process.Service(deployment)
    try:
        until(lambda: status(engine) == ["succeeded"])
    finally:
        second.close()
    assert len(stripe.keys) >= 3
    assert list(stripe.customers) == list(set(stripe.keys))
    with engine.connect().execution_options(read_only=True) as connection:
        customers = connection.exec_driver_sql("SELECT stripe_customer_id, tenant_id FROM customers").fetchall()
        events = connection.exec_driver_sql("SELECT event FROM audit_log ORDER BY sequence").fetchall()
        assert isinstance(audit.verify(connection), IntactLog)
    assert [tuple(row) for row in customers] == [("cus_0", "ten_first")]
    assert [event for (event,) in events if event != "service_started"] == [
        "operation_requested",
        "operation_deferred",
        "operation_succeeded",
    ]
