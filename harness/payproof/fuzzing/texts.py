"""Bodies as they go on the wire: JSON, forms and worse, plain and compressed."""

import gzip
import json
import zlib
from typing import Any

from hypothesis import strategies as st

from payproof.fuzzing.canaries import FuzzingCanaries
from payproof.fuzzing.planting import bodies

__all__ = ["Written", "encoded_bodies", "plain_bodies"]

#: A content type, or none, and the bytes.
Written = tuple[str | None, bytes]

_JSON = "application/json"
_TYPES = (
    _JSON,
    "application/json; charset=utf-16",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/octet-stream",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/html; charset=none",
    "a/b/c",
)
_BOMB = 1024 * 1024  # bytes that a compressed body unfolds to; enough to show that a limit holds, and no more


def _json_values() -> st.SearchStrategy[Any]:
    texts = st.text(st.characters(codec="utf-8"), max_size=30)
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=True, allow_infinity=True)
        | texts
        | st.sampled_from(["", "\0", "'; DROP TABLE customers; --", "{{7*7}}", "${7*7}", "../../etc/passwd", "%s%n"])
    )
    names = st.sampled_from(["id", "type", "amount", "currency", "customer", "email", "data", "object", "__proto__"])
    members = names | texts

    def holding(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(inner, max_size=4) | st.dictionaries(members, inner, max_size=4)

    return st.recursive(leaves, holding, max_leaves=8)


@st.composite
def _json_bodies(draw: st.DrawFn, canaries: FuzzingCanaries) -> bytes:
    value = draw(_json_values())
    if draw(st.booleans()):
        around = value if isinstance(value, dict | list) else {"data": value}
        value = draw(st.sampled_from(list(bodies(around, canaries)) or [canaries.text]))
    written = json.dumps(value, ensure_ascii=draw(st.booleans()))
    return written.encode("utf-8", "surrogatepass")


@st.composite
def _broken_json(draw: st.DrawFn, canaries: FuzzingCanaries) -> bytes:
    text = canaries.text
    deep = draw(st.sampled_from([20, 1500, 2000, 50_000]))
    return draw(
        st.sampled_from(
            [
                b"[" * deep + b"]" * deep,
                b'{"a":' * deep + f'"{text}"'.encode() + b"}" * deep,
                f'{{"data": "{text}"'.encode(),
                f'{{"amount": 1, "amount": "{text}"}}'.encode(),
                f'{{"data": "{text}\\ud800"}}'.encode(),
                f'{{"data": "{text}'.encode() + b'\xff\xfe"}',
                f'{{"data": NaN, "note": "{text}"}}'.encode(),
                b'{"amount": ' + b"9" * deep + b"}",
                f"\ufeff{{}} {text}".encode(),
                json.dumps({"card": {"number": canaries.number, "cvc": "737"}}).encode("utf-16"),
                text.encode(),
                b"\0" * 20,
            ]
        )
    )


def _others(canaries: FuzzingCanaries) -> st.SearchStrategy[bytes]:
    text, number = canaries.text, canaries.number
    return st.binary(max_size=200) | st.sampled_from(
        [
            f"card[number]={number}&card[cvc]=737&note={text}".encode(),
            f"a=1&a={text}&%ZZ={text}".encode(),
            f"<?xml version='1.0'?><a note='{text}'><number>{number}</number></a>".encode(),
            f"<!DOCTYPE a [<!ENTITY b '{text}'>]><a>&b;&b;</a>".encode(),
            f'--x\r\nContent-Disposition: form-data; name="card"\r\n\r\n{number}\r\n--x--\r\n'.encode(),
            f'--x\r\nContent-Disposition: form-data; name="{text}'.encode(),
        ]
    )


@st.composite
def plain_bodies(draw: st.DrawFn, canaries: FuzzingCanaries) -> Written:
    """Draw a body with its content type, which fits it most of the time."""
    kind = draw(st.sampled_from(["none", "json", "json", "broken", "other"]))
    if kind == "none":
        return draw(st.sampled_from([None, _JSON])), b""
    if kind == "other":
        return draw(st.sampled_from(_TYPES)), draw(_others(canaries))
    body = draw(_json_bodies(canaries) if kind == "json" else _broken_json(canaries))
    fitting = draw(st.booleans()) or draw(st.booleans())
    return _JSON if fitting else draw(st.sampled_from([*_TYPES, None])), body


@st.composite
def encoded_bodies(draw: st.DrawFn, canaries: FuzzingCanaries) -> tuple[Written, str]:
    """Draw a body under a content encoding: rightly compressed, compressed twice, cut, or a small bomb."""
    type_, body = draw(plain_bodies(canaries))
    form = draw(st.sampled_from(["gzip", "deflate", "twice", "cut", "not compressed", "bomb", "unknown"]))
    packed = gzip.compress(body, mtime=0)
    written, encoding = {
        "gzip": (packed, "gzip"),
        "deflate": (zlib.compress(body), "deflate"),
        "twice": (gzip.compress(packed, mtime=0), "gzip, gzip"),
        "cut": (packed[: len(packed) // 2], "gzip"),
        "not compressed": (body, "gzip"),
        "bomb": (gzip.compress(b"0" * _BOMB, mtime=0), "gzip"),
        "unknown": (body, "payproof"),
    }[form]
    return (type_, written), encoding
