import os
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from payproof_reference.certificate import Certificate
from payproof_reference.settings import MisconfiguredError
from payproof_reference.telemetry import metrics
from tests.waiting import DEADLINE

HOST = "billing.test"


class Files:
    """The two files of a certificate, written anew as a renewal does it."""

    def __init__(self, folder: Path, authority: trustme.CA) -> None:
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self._authority = authority
        self._moment = 0

    def write(self, *, days: int = 90, certificate: bytes | None = None, key: bytes | None = None) -> int:
        """Issue a certificate and put it in place, or something else; give its serial number."""
        end = datetime.now(UTC) + timedelta(days=days)
        leaf = self._authority.issue_cert(HOST, "127.0.0.1", not_before=end - timedelta(90), not_after=end)
        chain = leaf.cert_chain_pems[0].bytes()
        for file, content in (
            (self.certificate, certificate or chain),
            (self.key, key or leaf.private_key_pem.bytes()),
        ):
            file.write_bytes(content)
            # Two writes in one tick of the file system's clock are told apart on purpose here, and by chance elsewhere.
            self._moment += 1
            os.utime(file, (self._moment, self._moment))
        return x509.load_pem_x509_certificate(chain).serial_number


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> Files:
    """Files in a folder of the test's own."""
    return Files(tmp_path, authority)


def served(certificate: Certificate, authority: trustme.CA, name: str | None = HOST) -> int:
    """Shake hands once, naming the host or not, and give the serial number of the certificate that was shown."""
    ours, theirs = socket.socketpair()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    def answer() -> None:
        with theirs, certificate.context.wrap_socket(theirs, server_side=True) as connection:
            connection.recv(1)

    thread = threading.Thread(target=answer)
    thread.start()
    # An address is verified like a name, but not sent: RFC 6066 has no place for it.
    with ours, trust.wrap_socket(ours, server_hostname=name or "127.0.0.1") as connection:
        shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True)).serial_number
        connection.sendall(b"x")
    thread.join(DEADLINE)
    return shown


def loads(result: str) -> float:
    return metrics.REGISTRY.get_sample_value("billing_tls_certificate_loads_total", {"result": result}) or 0


@pytest.mark.parametrize("name", [HOST, None], ids=["by name", "by address"])
def test_renewed_certificate_is_served_from_the_next_handshake_on(files, authority, name):
    """Changed files replace the certificate without a restart; unchanged ones are left alone."""
    first = files.write(days=20)
    certificate = Certificate(files.certificate, files.key)
    before = loads("taken")
    certificate.renew()
    assert served(certificate, authority, name) == first
    second = files.write()
    assert served(certificate, authority, name) == first
    certificate.renew()
    assert served(certificate, authority, name) == second
    certificate.renew()
    assert loads("taken") == before + 1


def test_connection_goes_on_through_a_renewal(files, authority):
    """What was agreed under the old certificate is neither broken nor asked again."""
    files.write()
    certificate = Certificate(files.certificate, files.key)
    ours, theirs = socket.socketpair()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    def echo() -> None:
        with theirs, certificate.context.wrap_socket(theirs, server_side=True) as connection:
            while heard := connection.recv(10):
                connection.sendall(heard)

    thread = threading.Thread(target=echo)
    thread.start()
    with ours, trust.wrap_socket(ours, server_hostname=HOST) as connection:
        for said in (b"before", b"after"):
            connection.sendall(said)
            assert connection.recv(10) == said
            files.write()
            certificate.renew()
    thread.join(DEADLINE)


@pytest.mark.parametrize(
    "bad",
    [
        {"key": trustme.CA().issue_cert(HOST).private_key_pem.bytes()},
        {"certificate": b"-----BEGIN CERTIFICATE-----\nhalf of"},
        {"certificate": b" "},
        {"key": b" "},
        {"days": -1},
    ],
    ids=["another key", "half a file", "no certificate", "no key", "ended"],
)
def test_bad_certificate_replaces_nothing(files, authority, capsys, bad):
    """What cannot be served is refused once, with a line and a count; the old one stays until a good one comes."""
    first = files.write()
    certificate = Certificate(files.certificate, files.key)
    before, taken = loads("refused"), loads("taken")
    files.write(**bad)
    certificate.renew()
    certificate.renew()
    assert served(certificate, authority) == served(certificate, authority, None) == first
    assert (loads("refused"), loads("taken")) == (before + 1, taken)
    assert "BILLING_TLS_CERTIFICATE" in capsys.readouterr().out
    last = files.write()
    certificate.renew()
    assert served(certificate, authority) == last


def test_missing_file_replaces_nothing(files, authority):
    """A file that is gone for a moment, as during a renewal by hand, takes nothing away."""
    first = files.write()
    certificate = Certificate(files.certificate, files.key)
    files.key.unlink()
    certificate.renew()
    assert served(certificate, authority) == first


def test_request_to_renew_reads_unchanged_files_again(files):
    """A renewal that is asked for by a person happens, and is answered by a line, whatever the files look like."""
    files.write()
    certificate = Certificate(files.certificate, files.key)
    before = loads("taken")
    certificate.renew(forced=True)
    assert loads("taken") == before + 1


def test_end_of_the_certificate_is_told(files):
    """The metric holds the end of what is served: of the first certificate, then of each good renewed one."""
    name = "billing_tls_certificate_expiry_timestamp_seconds"
    days = []
    files.write(days=20)
    certificate = Certificate(files.certificate, files.key)
    now = datetime.now(UTC).timestamp()
    for renewal in (20, 90, -1):
        files.write(days=renewal)
        certificate.renew()
        days.append(round((metrics.REGISTRY.get_sample_value(name) - now) / 86400))
    assert days == [20, 90, 90]


def test_start_needs_a_certificate(files):
    """At the start there is no old certificate, so a bad one is an error that names the settings and no path."""
    files.write(certificate=b" ")
    with pytest.raises(MisconfiguredError, match=r"^BILLING_TLS_CERTIFICATE") as error:
        Certificate(files.certificate, files.key)
    assert str(files.certificate) not in str(error.value)
