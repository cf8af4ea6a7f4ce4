"""The certificate of the service, and its replacement while the service serves."""

import ssl
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from payproof_reference.settings import MisconfiguredError
from payproof_reference.telemetry import metrics

__all__ = ["Certificate"]

log = structlog.get_logger()

# Forward secrecy and authenticated encryption only (PCI DSS 4.2.1); TLS 1.3 has no others.
TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Certificate:
    """Certificate and key from their files; `context` serves the newest good pair of them, from one handshake on.

    A new pair gets a context of its own, to which each handshake is handed: `load_cert_chain` on the context that is in
    use would leave it without a matching key when the new pair does not fit together.

    Raises:
        MisconfiguredError: a file cannot be read, or the two do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._lock = threading.Lock()
        self._seen = signature_of(self._files)
        self.context = self._current = server_context(self._files)
        self.context.sni_callback = self._hand_over
        metrics.CERTIFICATE_EXPIRY.set(end_of(certificate))

    def renew(self, *, forced: bool = False) -> None:
        """Take the files if they have changed since they were read, or in any case; bad ones replace nothing."""
        with self._lock:
            seen = signature_of(self._files)
            if seen == self._seen and not forced:
                return
            self._seen = seen
            try:
                context, end = server_context(self._files), end_of(self._files[0])
                if end <= time.time():
                    raise MisconfiguredError("BILLING_TLS_CERTIFICATE: has ended")  # noqa: TRY301 - bad like the others
            except MisconfiguredError as error:
                metrics.CERTIFICATE_LOADS.labels("refused").inc()
                log.error("certificate_refused", reason=str(error))  # noqa: TRY400 - the line is the whole story
                return
            self._current = context
            metrics.CERTIFICATE_EXPIRY.set(end)
            metrics.CERTIFICATE_LOADS.labels("taken").inc()
            log.info("certificate_taken", valid_until=datetime.fromtimestamp(end, UTC).isoformat())

    def _hand_over(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Give a handshake the newest pair; called for each, with a name or without."""
        connection.context = self._current


def signature_of(files: tuple[Path, Path]) -> list[tuple[int, int, int] | None]:
    """Tell versions of the files apart without reading them; a missing one has none."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            state = file.stat()
        except OSError:
            found.append(None)
        else:
            found.append((state.st_ino, state.st_mtime_ns, state.st_size))
    return found


def server_context(files: tuple[Path, Path]) -> ssl.SSLContext:
    """Build a server context of TLS 1.2 and later from the certificate and key files.

    Raises:
        MisconfiguredError: a file cannot be read, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_1_2_CIPHERS)
    try:
        # The empty password makes an encrypted key an error; without one OpenSSL would ask on the terminal and wait.
        context.load_cert_chain(*files, password="")
    except OSError:  # ssl.SSLError is one
        raise MisconfiguredError(
            "BILLING_TLS_CERTIFICATE, BILLING_TLS_PRIVATE_KEY: must be readable PEM files that belong together"
        ) from None
    return context


def end_of(file: Path) -> float:
    """Read when the first certificate of a file ends, in seconds since the epoch.

    Raises:
        MisconfiguredError: there is none.
    """
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())[0].not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        raise MisconfiguredError("BILLING_TLS_CERTIFICATE: must be a readable PEM file of certificates") from None
