"""The reference service and its peer, each as a process of its own over HTTPS, on a database of its own."""

import http.client
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from math import nan
from pathlib import Path

import trustme
from sqlalchemy import text

from payproof_reference.database.engine import open_database
from tests.benchmarks._ending import end
from tests.benchmarks._machine import free_port

__all__ = ["PEER", "SERVICE", "Certificate", "Running", "started"]

SERVICE, PEER = "reference service", "smallest FastAPI handler"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_INBOX = {SERVICE: "inbox", PEER: "events"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The PEM files of a server of 127.0.0.1."""

    certificate: Path
    key: Path
    authority: Path

    @classmethod
    def made(cls, folder: Path) -> "Certificate":
        """Make one, with an authority that nobody else trusts."""
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        files = cls(folder / "certificate.pem", folder / "key.pem", folder / "authority.pem")
        authority.cert_pem.write_to_path(files.authority)
        issued.private_key_pem.write_to_path(files.key)
        for pem in issued.cert_chain_pems:
            pem.write_to_path(files.certificate, append=True)
        return files


@dataclass(frozen=True, slots=True)
class Running:
    """A process that answers."""

    name: str
    port: int
    address: str
    first_answer: float  # seconds after its start
    resident: float  # MiB at rest, RSS
    proportional: float  # MiB at rest, PSS: what it shares with others is divided by their number

    def durable(self) -> int:
        """Count the events that its database holds, on a connection of its own."""
        engine = open_database(self.address)
        try:
            with engine.connect() as connection:
                return int(connection.execute(text(f"SELECT count(*) FROM {_INBOX[self.name]}")).scalar_one())
        finally:
            engine.dispose()


@contextmanager
def started(name: str, address: str, secret: str, files: Certificate, log: Path) -> Iterator[Running]:
    """Start a contender and wait for its first answer."""
    port = free_port()
    command = (
        (sys.executable, "-m", "payproof_reference")
        if name == SERVICE
        else (sys.executable, "-m", "tests.benchmarks._fastapi_peer", str(port))
    )
    settings = _service(port, address, secret, files) if name == SERVICE else _peer(address, secret, files)
    begun = time.perf_counter()
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env=os.environ | settings, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        first = _first_answer(process, port, begun, log)
        time.sleep(1)
        yield Running(name, port, address, first, *memory(process.pid))
    finally:
        end(process, _STOP_SECONDS)


def memory(pid: int) -> tuple[float, float]:
    """Return the RSS and the PSS of a process in MiB, or NaN where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return nan, nan
    kilobytes = {name: int(size) for name, size, *_ in (line.split() for line in lines)}
    return kilobytes["Rss:"] / 1024, kilobytes["Pss:"] / 1024


def _service(port: int, address: str, secret: str, files: Certificate) -> dict[str, str]:
    return {
        "BILLING_PORT": str(port),
        "BILLING_DATABASE_URL": address,
        "BILLING_MIGRATE": str(address.startswith("sqlite")),
        # Of the secret, so that they are the same at every start.
        "BILLING_AUDIT_KEY": sha256(f"audit {secret}".encode()).hexdigest(),
        "BILLING_CREDENTIAL_KEY": sha256(f"credential {secret}".encode()).hexdigest(),
        "BILLING_STRIPE_WEBHOOK_SECRET": secret,
        "BILLING_STRIPE_API_KEY": "rk_" + "test_" + "benchmark",
        "BILLING_STRIPE_API_BASE": "http://127.0.0.1:9",
        "BILLING_RETURN_URL": "https://shop.test/billing",
        "BILLING_TLS_CERTIFICATE": str(files.certificate),
        "BILLING_TLS_PRIVATE_KEY": str(files.key),
    }


def _peer(address: str, secret: str, files: Certificate) -> dict[str, str]:
    return {
        "PEER_DATABASE": address,
        "PEER_SECRET": secret,
        "PEER_CERTIFICATE": str(files.certificate),
        "PEER_KEY": str(files.key),
    }


def _first_answer(process: subprocess.Popen[bytes], port: int, begun: float, log: Path) -> float:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    while process.poll() is None and time.perf_counter() < begun + _START_SECONDS:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=5)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.01)
        else:
            return time.perf_counter() - begun
        finally:
            connection.close()
    raise RuntimeError(f"no answer: {log.read_text(errors='replace')[-2000:]}")
