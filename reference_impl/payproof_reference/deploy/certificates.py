"""Certificates for the links inside the composed deployment: `python -m payproof_reference.deploy.certificates FOLDER`.

One authority, whose key only this job sees, and one certificate for each server, in a folder of its own that becomes a
volume of that server. It can be run again at any time: what still lasts is kept. A real deployment takes certificates
from an authority of its operator's.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

__all__ = ["main"]

SERVERS = ("billing", "postgres", "stripe")
LASTS = timedelta(days=90)
# Later than this before its end a certificate is made anew.
LEFT = timedelta(days=30)


def main(arguments: Sequence[str]) -> int:
    """Make what is missing below a folder, or about to end."""
    folder = Path(arguments[0])
    authority = open_authority(folder / "authority")
    for name in ("trust", *SERVERS):
        write(folder / name / "ca.pem", authority.cert_pem)
    for name in SERVERS:
        if not is_good(folder / name / "certificate.pem"):
            issued = authority.issue_cert(name, not_after=datetime.now(UTC) + LASTS)
            write(folder / name / "key.pem", issued.private_key_pem, mode=0o600)
            write(folder / name / "certificate.pem", *issued.cert_chain_pems)
    return 0


def open_authority(folder: Path) -> trustme.CA:
    """Read the authority, or found it."""
    certificate, key = folder / "ca.pem", folder / "key.pem"
    if certificate.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    founded = trustme.CA(organization_name="Payproof, composed")
    write(key, founded.private_key_pem, mode=0o600)
    write(certificate, founded.cert_pem)
    return founded


def is_good(file: Path) -> bool:
    """Tell whether a certificate is there and lasts."""
    if not file.exists():
        return False
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc > datetime.now(UTC) + LEFT


def write(file: Path, *pems: trustme.Blob, mode: int = 0o644) -> None:
    """Put a file in place whole, as whoever serves it may look at any time."""
    draft = file.with_suffix(".new")
    draft.touch(mode=mode)
    draft.write_bytes(b"".join(pem.bytes() for pem in pems))
    draft.replace(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
