import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detector
from payproof.scan.characters import one
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE, masks, secret
from payproof.scan.streams import Bits

__all__ = ["DsnPassword"]

_SCHEMES = (
    rb"(?:postgres(?:ql)?|mysql|mariadb|rediss?|valkey|mongodb|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb|ldaps?|"
    rb"smtps?|s?ftps?|https?)(?:\+[A-Za-z0-9]{1,20})?"
)
_SLASH = rb"(?:\\*/|\\|%2[Ff])"
_URL = re.compile(
    rb"(?:%(edge)s(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,24})://"
    rb"|%(edge)s(?P<damaged>%(schemes)s)\s{0,2}(?:[:;]|%%3[Aa])?\s{0,2}%(slash)s{1,4}\s{0,2}"
    rb"|%(edge)s(?P<bare>%(schemes)s):"
    rb"|(?P<cut>:?%(slash)s{2}))"
    rb"[^\s:/@\"'<>\\]{0,64}:(?P<password>[^\s/@\"'<>\\]{1,128})@(?!sha\d+:)(?:[A-Za-z0-9\[][^\s/\"'<>\\?#]*|(?=\\*/))"
    % {b"edge": EDGE, b"schemes": _SCHEMES, b"slash": _SLASH}
)
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_NAMED = re.compile(
    rb"(?:(?:your|my|the|db|database|user)[_.-]?){1,3}(?:password|passwd|pass|pwd|secret)(?:[_.-]?here)?", re.IGNORECASE
)
_PLACEHOLDERS = frozenset((b"password", b"pass", b"passwd", b"pw", b"secret", b"pwd", b"tiger"))


def _is_hidden(password: bytes) -> bool:
    plain = _ESCAPE.sub(b"", password)
    return (
        masks(plain + b"qzjvkw")
        or not plain.strip(b"x")
        or password.lower() in _PLACEHOLDERS
        or (plain[:1] + plain[-1:]) == b"[]"
        or _NAMED.fullmatch(plain) is not None
    )


@detector
class DsnPassword(AnchoredDetector):
    """A database's or a service's address with the password in it (CWE-532 in logs)."""

    name: ClassVar[str] = "dsn_password"
    # What ends a scheme, as it should be or damaged; a colon, and the sign before a host.
    anchor: ClassVar[Bits] = (
        ((one("/") & (one("/") | one("\\")).behind(1)) | (one(":") & ~one("/").ahead(2)) | one("\\"))
        & one(":").ahead(1).within(64)
        & one("@").ahead(3).within(128)
    )
    begins: ClassVar[re.Pattern[bytes]] = re.compile(
        rb"[/:\\][\s/\\]{0,8}[^\s:/@\"'<>\\]{0,64}:[^\s/@\"'<>\\]{1,128}@[A-Za-z0-9\[/\\]"
    )
    reach: ClassVar[tuple[int, int]] = (48, 256)
    positive: ClassVar[tuple[bytes, ...]] = (
        b"postgresql+psycopg://billing:" + b"tr0ub4dor@db.internal:5432/billing",
        b"redis://:" + b"tr0ub4dor@cache:6379/0",
        b"postgresql://billing:" + b"tr0ub4dor@/billing?host=/run/postgresql",
        b'{"dsn":"mysql://root:' + b'S3cr%40t9@10.0.0.5/app"}',
        b"postgres:/billing:" + b"tr0ub4dor@db.internal/billing",
        b"postgres//billing:" + b"tr0ub4dor@db.internal/billing",
        b"postgresql:billing:" + b"tr0ub4dor@db.internal/billing",
        b"://billing:" + b"tr0ub4dor@db.internal/billing",
        b"//billing:" + b"tr0ub4dor@db.internal/billing",
        b'{"url":"postgres:\\/\\/billing:' + b'tr0ub4dor@db.internal\\/billing"}',
        b"postgres :// billing:" + b"tr0ub4dor@db/billing",
        b"postgres:\\\\billing:" + b"tr0ub4dor@db",
        b"<postgres>://billing:" + b"tr0ub4dor@db/billing",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b"postgresql://billing:***@db.internal/billing",
        b"postgresql://billing@db.internal/billing",
        b"postgresql://user:password@localhost/app",
        b"https://example.com:8443/a@b",
        b"postgresql://scott:tiger@localhost/app",
        b"postgresql://user:your-password@localhost/app",
        b"postgresql://user:db_password@localhost/app",
        b"redis://[[username]:[password]]@localhost:6379/0",
        b"docker://alpine:3.19@sha256:e3b0c44298fc1c14",
        b"// see foo:bar@example.com",
        b"postgresql://${USER}:${PASSWORD}@db/app",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each address with a password that is no placeholder."""
        for match in _URL.finditer(data):
            password = match["password"]
            if not _is_hidden(password):
                scheme = match["scheme"] or match["damaged"] or match["bare"] or b""
                # What is only set apart by colons, or only by slashes, may be a key, or a path.
                sure = match["scheme"] or match["damaged"] or (match["cut"] or b"")[:1] == b":"
                shown = secret(scheme + b"://", match[0])
                what = f"password in a {scheme.decode()} address" if scheme else "password in an address"
                yield Hit(match.start(), match.end(), what, Confidence.HIGH if sure else Confidence.MEDIUM, shown)
