import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detector
from payproof.scan.characters import word
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE, make_named_pattern, secret
from payproof.scan.placeholders import masks
from payproof.scan.streams import Bits

__all__ = ["ClientSecret"]

_RANDOM = "3MtwBwLkdIwHu7ix28a3tqPa"
# As in Stripe's OpenAPI, to which tests/scan/test_client_secrets.py holds this.
_SECRET = re.compile(
    rb"%s(?:[a-z]{2,8}_(?:(?:live|test)_)?[A-Za-z0-9]{8,128}_(?:client_)?secret_(?:(?:live|test)_)?[A-Za-z0-9]{8,250}"
    rb"|(?:accs|cs|cuss|fcsess|pi|seti|src|vs)_(?:client_)?secret_{1,2}[A-Za-z0-9]{16,250}"
    rb"|pst_(?:live|test)_[A-Za-z0-9]{16,250})" % EDGE
)
_NAME = re.compile(rb"[A-Za-z_]+(?:[._-][A-Za-z_]+)+")
_KINDS = {
    b"pst": "connection token of a terminal",
    **dict.fromkeys((b"accs", b"cuss", b"fcsess", b"vs"), "client secret of a session"),
}
_NAMED = make_named_pattern(rb"(?:client|confirmation)[_ -]?secret", rb"[^\x00-\x20\"'`&,;<>\\\x7f-\xff]{16,400}")
_OAUTH = re.compile(
    rb"oauth|client_?id|grant_?type|redirect_?ur|(?:access|refresh)_?token|token_?ur|authoriz", re.IGNORECASE
)
_NEAR = 160


def _name_formed(value: bytes) -> tuple[str, bytes]:
    """Return what to call a secret that its form tells, and how it begins."""
    prefix = value[: value.find(b"_") + 1]
    return _KINDS.get(prefix[:-1], "client secret of a payment"), prefix


def _name_unformed(data: bytes, start: int, end: int) -> str:
    """Return what to call a secret that only its name tells: OAuth (RFC 6749) calls one so, too."""
    oauth = _OAUTH.search(data, max(0, start - _NEAR), end + _NEAR)
    return "OAuth client secret" if oauth else "client secret"


#: An expression has them, a token (RFC 6749, A.2, as servers issue it) has none.
_BRACKETS = frozenset(b"()[]{}|$%*")


def _is_code(value: bytes) -> bool:
    """Whether a value is an expression of a program, or a name in one."""
    names = value.translate(None, b"()")
    return _NAME.fullmatch(names) is not None and (b"." in names or names in (names.lower(), names.upper()))


@detector
class ClientSecret(AnchoredDetector):
    """Stripe's client secrets: who holds one can complete a payment in the customer's place."""

    name: ClassVar[str] = "client_secret"
    anchor: ClassVar[Bits] = word("secret", caseless=True) | word("pst_")
    reach: ClassVar[tuple[int, int]] = (160, 448)
    positive: ClassVar[tuple[bytes, ...]] = (
        f"pi_{_RANDOM}_secret_{_RANDOM}".encode(),
        f"GET /return?setup_intent_client_secret=seti_{_RANDOM}_secret_{_RANDOM}&x=1".encode(),
        f"cs_test_{_RANDOM}{_RANDOM}_secret_{_RANDOM}".encode(),
        f"src_{_RANDOM}_client_secret_{_RANDOM}".encode(),
        f"fcsess_client_secret_{_RANDOM}".encode(),
        f"accs_secret__{_RANDOM}{_RANDOM}".encode(),
        f"vs_{_RANDOM}_secret_test_{_RANDOM}".encode(),
        f'{{"object":"terminal.connection_token","secret":"pst_test_{_RANDOM}"}}'.encode(),
        f'{{"client_secret": "{_RANDOM}{_RANDOM}"}}'.encode(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"client_secret": null, "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa"}',
        b'{"client_secret": "[secret: client_secret]"}',
        b'{"client_secret": "********************"}',
        b"the client secret is returned to the browser",
        b"pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_****",
        b"pi_YOURPAYMENTINTENT_secret_YOURSECRETHERE",
        b'{"client_secret": "your-client-secret-here"}',
        b"client_secret=YOUR_CLIENT_SECRET",
        b"client_secret = form_data.client_secret",
        b"client_secret='fake-client-secret'",
        b"&client_secret=\0AZURE_AUTHORITY_HOST\0&scope=\0",
        b"client_secret=${OAUTH_CLIENT_SECRET_2}",
        b"client_secret:e.concat(this.clientSecret7)",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each secret, by its form or its name."""
        for match in _SECRET.finditer(data):
            if not masks(match[0].rpartition(b"_")[2]):
                what, prefix = _name_formed(match[0])
                yield Hit(match.start(), match.end(), what, Confidence.HIGH, secret(prefix, match[0]))
        for match in _NAMED.finditer(data):
            value, start = match["value"], match.start("value")
            if (
                match["sign"].strip()
                and not masks(value)
                and not _is_code(value)
                and not _SECRET.search(data, max(0, start - 1), match.end())
                and not _BRACKETS & set(value)
            ):
                what = _name_unformed(data, match.start(), match.end())
                yield Hit(start, match.end("value"), what, Confidence.HIGH, secret(b"", value))
