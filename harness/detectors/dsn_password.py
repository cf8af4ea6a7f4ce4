import re
from collections.abc import Iterator
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.domain.finding import Confidence
from harness.registry import detector
from harness.scan.characters import one, word
from harness.scan.keyed import EDGE, masks, secret
from harness.scan.streams import Bits

__all__ = ["DsnPassword"]

_URL = re.compile(
    rb"%s(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,24})://[^\s:/@\"'<>\\]{0,64}:(?P<password>[^\s/@\"'<>\\]{1,128})@(?:[A-Za-z0-9\[][^\s/\"'<>\\?#]*|(?=/))"
    % EDGE
)
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_PLACEHOLDERS = frozenset((b"password", b"pass", b"passwd", b"pw", b"secret", b"pwd"))


def _is_hidden(password: bytes) -> bool:
    plain = _ESCAPE.sub(b"", password)
    return masks(plain + b"qzjvkw") or not plain.strip(b"x") or password.lower() in _PLACEHOLDERS


@detector
class DsnPassword:
    """A database's or a service's address with the password in it (CWE-532 in logs)."""

    name: ClassVar[str] = "dsn_password"
    anchor: ClassVar[Bits] = word("://") & one("@").ahead(4).within(128)
    reach: ClassVar[tuple[int, int]] = (32, 256)
    positive: ClassVar[tuple[bytes, ...]] = (
        b"postgresql+psycopg://billing:" + b"tr0ub4dor@db.internal:5432/billing",
        b"redis://:" + b"tr0ub4dor@cache:6379/0",
        b"postgresql://billing:" + b"tr0ub4dor@/billing?host=/run/postgresql",
        b'{"dsn":"mysql://root:' + b'S3cr%40t9@10.0.0.5/app"}',
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b"postgresql://billing:***@db.internal/billing",
        b"postgresql://billing@db.internal/billing",
        b"postgresql://user:password@localhost/app",
        b"https://example.com:8443/a@b",
        b"postgresql://${USER}:${PASSWORD}@db/app",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each address with a password that is no placeholder."""
        for match in _URL.finditer(data):
            password = match["password"]
            if not _is_hidden(password):
                scheme = match["scheme"].decode()
                shown = secret(match["scheme"] + b"://", match[0])
                yield Hit(match.start(), match.end(), f"password in a {scheme} address", Confidence.HIGH, shown)
