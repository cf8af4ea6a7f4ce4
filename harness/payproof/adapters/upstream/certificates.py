"""The upstream's certificates: a good one, and those that no target may accept; nothing of them outlives the run."""

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from payproof.errors import ConfigurationError
from payproof.extras import install
from payproof.stripe.upstream.faults import ConnectionFault

if TYPE_CHECKING:
    import trustme

__all__ = ["Certificates"]

_HOSTS = ("127.0.0.1", "localhost", "::1")
_ELSEWHERE = ("payproof.invalid",)
_VERSIONS = {
    ConnectionFault.TLS_1_0: ssl.TLSVersion.TLSv1,
    ConnectionFault.TLS_1_1: ssl.TLSVersion.TLSv1_1,
    ConnectionFault.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    ConnectionFault.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}


class _FaultyContext(ssl.SSLContext):
    """A server's context that knows which fault it has."""

    fault = ""


class Certificates:
    """Makes server contexts, good and bad.

    ``folder`` is where ``ca.pem`` is written for the target to trust. An authority that is found there, with its key
    in ``ca-key.pem``, is used again, so that a target which trusts it needs no new configuration for each run.

    Raises:
        ConfigurationError: the extra ``upstream`` is not installed, or what is found is no authority.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import trustme  # noqa: PLC0415 (of the extra `upstream`)
        except ImportError:
            raise ConfigurationError("an upstream by HTTPS makes certificates", hint=install("upstream")) from None
        self.ca_file = folder / "ca.pem"
        key_file = folder / "ca-key.pem"
        self._trustme = trustme
        if self.ca_file.exists() and key_file.exists():
            try:
                self._authority = trustme.CA.from_pem(self.ca_file.read_bytes(), key_file.read_bytes())
            except ValueError as error:
                raise ConfigurationError(f"no certificate authority: {error}", file=self.ca_file) from None
        else:
            self._authority = trustme.CA(organization_name="Payproof")
            self._authority.cert_pem.write_to_path(self.ca_file)
            key_file.touch(mode=0o600)
            self._authority.private_key_pem.write_to_path(key_file)
        self.context = cache(self._context)

    def _context(self, fault: ConnectionFault | None) -> ssl.SSLContext:
        """Return a server's context, without a fault or with one, the same each time.

        Raises:
            ConfigurationError: this machine's OpenSSL does not offer the version of TLS.
        """
        context = _FaultyContext(ssl.PROTOCOL_TLS_SERVER)
        context.fault = "" if fault is None else fault.value
        if fault is not None and fault.is_version:
            with warnings.catch_warnings():
                # That TLS 1.0 and 1.1 are deprecated is why they are offered.
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = _VERSIONS[fault]
            # OpenSSL 3 would not offer the old versions at its usual level.
            context.set_ciphers("ALL:@SECLEVEL=0")
        self._issue_certificate(fault).configure_cert(context)
        if fault is not None and fault.is_version and not _offers(context):
            raise ConfigurationError(f"this machine's OpenSSL offers no {fault.value}", hint="it stays untested")
        return context

    def _issue_certificate(self, fault: ConnectionFault | None) -> "trustme.LeafCert":
        now = datetime.now(UTC)
        match fault:
            case ConnectionFault.EXPIRED:
                return self._authority.issue_cert(
                    *_HOSTS, not_before=now - timedelta(days=90), not_after=now - timedelta(days=1)
                )
            case ConnectionFault.NOT_YET_VALID:
                return self._authority.issue_cert(
                    *_HOSTS, not_before=now + timedelta(days=1), not_after=now + timedelta(days=90)
                )
            case ConnectionFault.WRONG_HOST:
                return self._authority.issue_cert(*_ELSEWHERE)
            case ConnectionFault.UNTRUSTED:
                return self._trustme.CA(organization_name="Nobody").issue_cert(*_HOSTS)
            case ConnectionFault.SELF_SIGNED:
                return self._trustme.LeafCert(*_self_signed(now), [])
        return self._authority.issue_cert(*_HOSTS)


def _offers(server: ssl.SSLContext) -> bool:
    """Whether a handshake with a client that takes anything comes about, in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = ssl.TLSVersion.TLSv1
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    waiting = [client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            if not (there.pending or back.pending):
                return False
            waiting.append(side)
        except ssl.SSLError:
            return False
    return True


def _self_signed(now: datetime) -> tuple[bytes, bytes]:
    """Return a key and a certificate that nothing but that key vouches for, in PEM."""
    from cryptography import x509  # noqa: PLC0415 (comes with trustme)
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
