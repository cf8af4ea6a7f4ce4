import re
from collections.abc import Iterator
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.domain.finding import Confidence
from harness.registry import detector
from harness.scan.characters import word
from harness.scan.keyed import EDGE, masks, named, secret
from harness.scan.streams import Bits

__all__ = ["ClientSecret"]

_RANDOM = "3MtwBwLkdIwHu7ix28a3tqPa"
_SECRET = re.compile(
    rb"%s(?:(?:pi|seti|src|cs_live|cs_test)_[A-Za-z0-9]{8,128}_(?:client_)?secret_|fcsess_client_secret_|[a-z]{2,8}_[A-Za-z0-9]{8,128}_secret_)"
    rb"[A-Za-z0-9]{8,250}" % EDGE
)
_NAMED = named(rb"client[_ -]?secret", rb"[^\s\"'`&,;<>\\]{16,400}")


def _hit(start: int, end: int, value: bytes) -> Hit:
    return Hit(
        start, end, "client secret of a payment", Confidence.HIGH, secret(value[: value.find(b"_") + 1], value), key=""
    )


@detector
class ClientSecret:
    """Stripe's client secrets: who holds one can complete a payment in the customer's place."""

    name: ClassVar[str] = "client_secret"
    anchor: ClassVar[Bits] = word("secret", caseless=True)
    reach: ClassVar[tuple[int, int]] = (160, 448)
    positive: ClassVar[tuple[bytes, ...]] = (
        f"pi_{_RANDOM}_secret_{_RANDOM}".encode(),
        f"GET /return?setup_intent_client_secret=seti_{_RANDOM}_secret_{_RANDOM}&x=1".encode(),
        f"cs_test_{_RANDOM}{_RANDOM}_secret_{_RANDOM}".encode(),
        f"src_{_RANDOM}_client_secret_{_RANDOM}".encode(),
        f"fcsess_client_secret_{_RANDOM}".encode(),
        f'{{"client_secret": "{_RANDOM}{_RANDOM}"}}'.encode(),
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"client_secret": null, "id": "pi_3MtwBwLkdIwHu7ix28a3tqPa"}',
        b'{"client_secret": "[secret: client_secret]"}',
        b'{"client_secret": "********************"}',
        b"the client secret is returned to the browser",
        b"pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_****",
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each secret, by its form or its name."""
        for match in _SECRET.finditer(data):
            if not masks(match[0].rpartition(b"_")[2]):
                yield _hit(match.start(), match.end(), match[0])
        for match in _NAMED.finditer(data):
            value, start = match["value"], match.start("value")
            if (
                match["sign"].strip()
                and not masks(value)
                and not _SECRET.search(data, max(0, start - 1), match.end())
                and b"[" not in value
            ):
                yield _hit(start, match.end("value"), value)
