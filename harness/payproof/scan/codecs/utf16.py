"""UTF-16 of either byte order, without a byte order mark: every second byte of text in it is the same."""

from collections.abc import Iterator, Mapping

from payproof.scan.characters import NUL, byte
from payproof.scan.pieces import DecodedPart, Read, Unread, Where, cluster_places, thin_places
from payproof.scan.streams import Bits
from payproof.scan.view import View

__all__ = ["STREAMS", "decode"]

_full = byte(0xFF)  # of full-width forms

STREAMS: Mapping[str, Bits] = {
    "utf-16": (NUL & ~NUL.ahead(1)).every(2, 4) | (_full & ~_full.ahead(1)).every(2, 4),
}

_NEAR = 160  # bytes; nineteen digits in surrogates, in groups, are 92


def decode(view: View, _read: Read) -> Iterator[DecodedPart | Unread]:
    """Decode each stretch in both byte orders: of the wrong one, all but the first or last character is the same."""
    for found in cluster_places(view, thin_places(view.places("utf-16")), _NEAR):
        for order, first in (("utf-16-le", found[0] - 1), ("utf-16-be", found[0])):
            left, right = view.within(found[0], first - _NEAR, found[-1] + 8 + _NEAR)
            left += (first - left) % 2
            text = view.data[left:right].decode(order, "replace")
            yield DecodedPart(left, right, order, text.encode(), _where(text, left))


def _where(text: str, left: int) -> Where:
    def where(place: int) -> int:
        before = text.encode()[:place].decode("utf-8", "ignore")
        return left + len(before.encode("utf-16-le"))

    return where
