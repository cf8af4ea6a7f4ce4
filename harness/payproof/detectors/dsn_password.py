import re
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import unquote_to_bytes

from payproof.domain.detector import GUESSABLE, Hit
from payproof.domain.finding import Confidence
from payproof.registry import detector
from payproof.scan.characters import one
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE, secret
from payproof.scan.placeholders import is_guessable, is_hidden, names_a_password
from payproof.scan.streams import Bits

__all__ = ["DsnPassword"]

_SCHEMES = (
    rb"(?:postgres(?:ql)?|mysql|mariadb|rediss?|valkey|mongodb|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb|ldaps?|"
    rb"smtps?|s?ftps?|https?)(?:\+[A-Za-z0-9]{1,20})?"
)
_SLASH = rb"(?:\\*/|\\|%2[Ff])"
_CHARACTER = rb"\x00-\x20\x7f/@\"'<>\\"  # none of an address
_URL = re.compile(
    rb"(?:%(edge)s(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,24})://"
    rb"|%(edge)s(?P<damaged>%(schemes)s)\s{0,2}(?:[:;]|%%3[Aa])?\s{0,2}%(slash)s{1,4}\s{0,2}"
    rb"|%(edge)s(?P<bare>%(schemes)s):"
    rb"|(?P<cut>:?%(slash)s{2}))"
    rb"(?P<user>[^:%(no)s]{0,64}):(?P<password>[^%(no)s]{1,128})@(?!sha\d+:)"
    rb"(?:(?P<host>[A-Za-z0-9\[][^?#%(no)s]*)|(?=\\*/))"
    % {b"edge": EDGE, b"schemes": _SCHEMES, b"slash": _SLASH, b"no": _CHARACTER}
)
#: What follows a host and its port without a scheme before them: a path, or the end of a sentence, a string or a list.
_HOST = re.compile(
    rb"(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?\.?(?:[^\w.:@-].*)?", re.DOTALL
)
_USER = re.compile(rb"[A-Za-z][\w.%+~-]*")
_TYPED = re.compile(rb"(?=[^A-Za-z0-9]*[A-Za-z0-9])[^\[\](){}*|]{4,}")
_OTHER_HOSTS = re.compile(rb"\d{1,5},(?:.*,)?[^:,]*:(?=[^,]*\Z)", re.DOTALL)
#: Hosts of documentation (RFC 2606, 5737, 3849), or the word for one: nobody's, so that a password opens nothing there.
_NOBODYS = re.compile(
    rb"(?:(?:[\w-]+\.)*(?:example(?:\.(?:com|net|org))?|invalid)\.?|(?:your|my)?[._-]?host(?:[._-]?name)?"
    rb"|(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+|\[2001:db8:[0-9a-f:.]*\])(?![\w.-])",
    re.IGNORECASE,
)


def _judge_password(user: bytes, password: bytes, host: bytes) -> str | None:
    """Return what to call a password, or None where it is a placeholder, or the host is nobody's."""
    plain = unquote_to_bytes(password)
    if _NOBODYS.match(host) or _is_of_documents(user, plain):
        return None
    if is_hidden(password) or is_hidden(plain) or names_a_password(plain):
        return None
    return f"{GUESSABLE} password" if is_guessable(plain, unquote_to_bytes(user)) else "password"


def _is_of_documents(user: bytes, password: bytes) -> bool:
    """Whether it is the account of Oracle's sample database, which the documents of others took over, or RFC 7617's."""
    oracle = password == b"tiger" or (user == b"scott" and password.startswith(b"tiger"))
    return oracle or (user.lower() == b"aladdin" and password.replace(b" ", b"") == b"opensesame")


def _may_be_one(match: re.Match[bytes]) -> bool:
    """Whether what no scheme stands before may be an address at all: patterns and paths have slashes and signs, too."""
    if match["password"][-1:] in b"[(":  # XPath: //iso:rule[@id]
        return False
    if match["scheme"] or match["damaged"]:
        return True
    cut = match["cut"] or b""
    user = _USER.fullmatch(match["user"]) is not None or (not match["user"] and cut[:1] == b":")
    host = match["host"] is None or _HOST.fullmatch(match["host"]) is not None
    slashes = not cut or bool(cut.strip(b":\\"))
    return user and host and slashes and _TYPED.fullmatch(match["password"]) is not None


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
        rb"[/:\\][\s/\\]{0,8}[^:%(no)s]{0,64}:[^%(no)s]{1,128}@[A-Za-z0-9\[/\\]" % {b"no": _CHARACTER}
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
        b"mysql://root:" + b"Pa$w0rd{9@10.0.0.5/app",
        b"mongodb://a.internal:27017,app:" + b"tr0ub4dor@b.internal:27017/app",
        b"postgresql://postgres:postgres@10.0.0.5/app",
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
        b"postgresql://app:{password}@db.internal/app",
        b"postgresql://app:%(password)s@db.internal/app",
        b"redis://:%s@cache:6379/0",
        b"https://user:s3cr3t-tr0ub4dor@example.com/",
        b"https://user:p%40ssw0rd-tr0ub4dor@www.example.org./",
        b"redis://:tr0ub4dor@192.0.2.7:6379",
        b"mssql://scott:tiger^5HHH@mssql2017:1433/test",
        b"xpath('//svg:*[@id]')",
        b'"pattern":"[\\\\w\\\\s:+=@/-]+"',
        b"//iso:rule[contains(@context,'@')]",
        b"xmlns://xsl:stylesheet[@xml:id = $id]",
        b"z\x03://\xfa\x01:\xfa\x01@r+\x00",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each address with a password that is no placeholder."""
        for match in _URL.finditer(data):
            # Of several hosts, each may have a user: the last one's password is told.
            password = _OTHER_HOSTS.sub(b"", match["password"], count=1)
            what = _judge_password(match["user"], password, match["host"] or b"")
            if what is not None and _may_be_one(match):
                scheme = match["scheme"] or match["damaged"] or match["bare"] or b""
                # What is only set apart by colons, or only by slashes, may be a key, or a path.
                sure = match["scheme"] or match["damaged"] or (match["cut"] or b"")[:1] == b":"
                shown = secret(scheme + b"://", match[0])
                place = f"a {scheme.decode()} address" if scheme else "an address"
                confidence = Confidence.HIGH if sure else Confidence.MEDIUM
                yield Hit(match.start(), match.end(), f"{what} in {place}", confidence, shown)
