import re
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector
from payproof.scan.characters import one, word
from payproof.scan.context import key_before
from payproof.scan.detector import AnchoredDetector
from payproof.scan.keyed import EDGE, secret
from payproof.scan.placeholders import masks
from payproof.scan.streams import Bits

__all__ = ["StripeSecret"]

_BODY = "51H8sKdLkdIw" + "Hu7ix4eC39Hq"
_KEY = re.compile(
    rb"%s(?P<prefix>(?P<sort>sk|rk|sk_org|ek)_(?P<mode>live|test)_)(?P<body>[A-Za-z0-9]{20,247})"
    rb"|%s(?P<hook>whsec_)(?P<secret>(?:[A-Za-z0-9+/=_-]|%%(?:2[BbFf]|3[Dd])){32,64})" % (EDGE, EDGE)
)
_ESCAPE = re.compile(rb"%..")
_SORTS = {b"sk": "secret key", b"rk": "restricted key", b"sk_org": "organisation key", b"ek": "ephemeral key"}


@detector
class StripeSecret(AnchoredDetector):
    """A key or webhook secret of Stripe; publishable keys and object ids are none (PCI DSS 8.6.2)."""

    name: ClassVar[str] = "stripe_secret"
    # What ends in k, then _live_, _test_ or _org_; or whsec_.
    anchor: ClassVar[Bits] = (one("k") & one("_").ahead(1) & (one("_").ahead(6) | one("_").ahead(5))) | word("whsec_")
    reach: ClassVar[tuple[int, int]] = (16, 288)
    positive: ClassVar[tuple[bytes, ...]] = tuple(
        pattern.replace("$", _BODY).encode()
        for pattern in (
            "sk_" + "live_$",
            '"' + "rk_" + 'test_$"',
            "sk_" + "org_live_$,",
            "ek_" + "test_$$",
            "whs" + "ec_$abcdefgh",
            "whs" + "ec_$" + "abcdef%2F0bc%3D",
            "key=" + "sk_" + "test_$$$$$&x=1",
            r"a\n" + "sk_" + "live_$" + r"\n",
        )
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        ("pk_" + "live_" + _BODY).encode(),
        b"cus_9s6XKzkNRiz8i3 pi_3MtwBwLkdIwHu7ix28a3tqPa evt_1NG8Du2eZvKYlo2CUI79vXWy",
        b"sk_" + b"live_************************abcd",
        b"sk_" + b"test_xxxxxxxxxxxxxxxxxxxxxxxx",
        b"task_" + b"live_" + _BODY.encode(),
        b"whsec_test_secret",
        b"whsec_YOUR_WEBHOOK_SIGNING_SECRET_HERE",
        b"whsec_replace_me_with_your_real_secret_ok",
        b"whsec_" + b"1234567890abcdef1234567890abcdef",
        b"sk_" + b"live_YOURSECRETKEYGOESHEREPLEASE",
        b"sk_" + b"test_abcdefghijklmnopqrstuvwxyz",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each key and secret."""
        for match in _KEY.finditer(data):
            body = match["body"] or match["secret"]
            if not masks(_ESCAPE.sub(b"", body)):
                prefix = match["prefix"] or match["hook"]
                if match["hook"]:
                    what = "Stripe webhook signing secret"
                else:
                    what = f"Stripe {_SORTS[match['sort']]} ({match['mode'].decode()} mode)"
                yield Hit(
                    match.start(),
                    match.end(),
                    what,
                    Confidence.HIGH,
                    secret(prefix, match[0]),
                    key=key_before(data, match.start()).shown,
                )

    def severity_of(self, hit: Hit) -> Severity:
        """Return the severity; a secret that is not of the test mode moves money."""
        return Severity.CRITICAL if "test mode" not in hit.what else self.severity
