"""Bodies changed after signing.

The signature is right for the original body, and the body sent always differs from it. Where a change would leave the
given body as it is, the original is first brought into a form that the change does touch, and that form is signed.
"""

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from payproof.stripe.forgery import Delivery, Forgery, Material, deliver, document_of, signature_of
from payproof.stripe.signature import compose, serialisations

__all__ = ["FORGERIES"]

_NODE = frozenset({"node"})
_MEMBER = b'"object":"event"'
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_LETTER = re.compile(rb"\\u[0-9a-fA-F]{4}|\\.|([A-Za-z])")
_AMOUNT = re.compile(rb'"(?:[a-z_]*amount[a-z_]*|[a-z_]*total|quantity)"\s*:\s*-?([0-9])')

_Change = Callable[[bytes, Random], tuple[bytes, bytes]]  # a body and randomness -> what is signed, what is sent


def _change_body(case: str, summary: str, change: _Change, sdk_accepts: frozenset[str] = frozenset()) -> Forgery:
    """Declare a change of bytes that no JSON parser overlooks, or that only verification of raw bytes sees."""

    def forge(material: Material) -> Delivery:
        document_of(material)
        signed, sent = change(material.body, material.random)
        return deliver(material, compose(material.now, [signature_of(material, body=signed)]), body=sent)

    return Forgery(f"body_changed.{case}", summary, forge, sdk_accepts=sdk_accepts)


def _rewritten(case: str, summary: str, change: _Change) -> Forgery:
    """Declare a change that parsing undoes; the document's usual forms are signed too.

    So the delivery passes at a target that parses the body and verifies its own serialisation.
    """

    def forge(material: Material) -> Delivery:
        document_of(material)
        signed, sent = change(material.body, material.random)
        forms = dict.fromkeys((signed, *serialisations(json.loads(signed)).values()))
        signatures = [signature_of(material, body=form) for form in forms if form != sent]
        return deliver(material, compose(material.now, signatures), body=sent)

    return Forgery(f"body_changed.{case}", summary, forge)


def _append(body: bytes, member: bytes) -> bytes:
    """Append a member to a JSON object."""
    head = body.rstrip()[:-1].rstrip()
    return head + (b"" if head.endswith(b"{") else b",") + member + b"}"


def _letters(body: bytes) -> list[int]:
    """Return where letters stand in strings, outside of escapes."""
    return [
        string.start() + letter.start()
        for string in _STRING.finditer(body)
        for letter in _LETTER.finditer(string.group())
        if letter[1]
    ]


def _with_letters(body: bytes) -> tuple[bytes, list[int]]:
    if not _letters(body):
        body = _append(body, _MEMBER)
    return body, _letters(body)


def _one_byte(body: bytes, random: Random) -> tuple[bytes, bytes]:
    amount = _AMOUNT.search(body)
    if amount:
        place, byte = amount.start(1), b"8" if amount[1] == b"9" else b"9"
    else:
        body, places = _with_letters(body)
        place = random.choice(places)
        byte = b"y" if body[place : place + 1] == b"x" else b"x"
    return body, body[:place] + byte + body[place + 1 :]


def _reverse_keys(value: Any) -> Any:
    match value:
        case dict():
            return {key: _reverse_keys(member) for key, member in reversed(value.items())}
        case list():
            return [_reverse_keys(item) for item in value]
        case _:
            return value


def _key_order(body: bytes, _: Random) -> tuple[bytes, bytes]:
    def encode_sorted(document: Any) -> bytes:
        return json.dumps(document, separators=(",", ":")).encode()

    document = json.loads(body)
    if encode_sorted(document) == encode_sorted(_reverse_keys(document)):
        document = {"object": "event", "livemode": False, **document}
    return encode_sorted(document), encode_sorted(_reverse_keys(document))


def _whitespace(body: bytes, _: Random) -> tuple[bytes, bytes]:
    start = body.index(b"{") + 1
    return body, body[:start] + b" " + body[start:]


def _unicode_escape(body: bytes, _: Random) -> tuple[bytes, bytes]:
    body, places = _with_letters(body)
    return body, body[: places[0]] + b"\\u%04x" % body[places[0]] + body[places[0] + 1 :]


def _trailing_newline(body: bytes, _: Random) -> tuple[bytes, bytes]:
    return body, body + b"\n"


def _bom(body: bytes, _: Random) -> tuple[bytes, bytes]:
    return body, b"\xef\xbb\xbf" + body


def _crlf(body: bytes, _: Random) -> tuple[bytes, bytes]:
    lines = body.replace(b"\r\n", b"\n")
    if b"\n" not in lines:
        lines = json.dumps(json.loads(body), indent=2).encode() + b"\n"
    return lines, lines.replace(b"\n", b"\r\n")


def _appended_duplicate_key(body: bytes, random: Random) -> tuple[bytes, bytes]:
    if not json.loads(body):
        body = _append(body, _MEMBER)
    key = "id" if "id" in (document := json.loads(body)) else next(iter(document))
    return body, _append(body, f'{json.dumps(key)}:"evt_{random.getrandbits(96):024x}"'.encode())


FORGERIES = (
    _change_body("one_byte", "One digit of an amount is another, or else one letter of a string.", _one_byte),
    _rewritten("key_order", "The keys of every object stand in reverse order.", _key_order),
    _rewritten("whitespace", "A space is added where JSON allows any.", _whitespace),
    _rewritten("unicode_escape", r"One letter of a string is written as `\u` escape.", _unicode_escape),
    _change_body("trailing_newline", "A newline is appended.", _trailing_newline),
    # Node's TextDecoder drops a byte order mark before stripe-node hashes the text.
    _change_body("bom", "A byte order mark stands before the body.", _bom, sdk_accepts=_NODE),
    _change_body("crlf", "Lines end in CRLF instead of LF.", _crlf),
    _change_body(
        "appended_duplicate_key", "A key stands twice, the second time with a forged id.", _appended_duplicate_key
    ),
)
