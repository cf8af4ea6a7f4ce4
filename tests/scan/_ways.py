"""The ways in which a card number may be written: the bytes that then stand in a store or a log."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.scan._writing import BYTE_CODECS, SCRIPTS, SEPARATORS, TEXT_CODECS, grouped, parts_of, spelled

__all__ = ["TYPED", "WAYS"]


def _document(number: str) -> str:
    return json.dumps({"event": "charge.failed", "card": {"number": number, "exp_month": 12}})


def _line(value: str | bytes) -> bytes:
    """Return a log line with a value in it that says nothing of what it is."""
    raw = value if isinstance(value, bytes) else value.encode()
    return b'2026-11-23T05:00:00Z INFO request body="' + raw + b'" status=402\n'


def _card_line(value: str) -> bytes:
    return f"2026-11-23T05:00:00Z INFO charging card {value} for 12.00 EUR\n".encode()


def _separated(name: str) -> Callable[[str], bytes]:
    return lambda number: _card_line(grouped(number, SEPARATORS[name]))


def _encoded(name: str) -> Callable[[str], bytes]:
    return lambda number: _line(BYTE_CODECS[name](_document(number).encode()))


def _escaped(name: str) -> Callable[[str], bytes]:
    return lambda number: _line(TEXT_CODECS[name](_document(number)))


def _script(name: str) -> Callable[[str], bytes]:
    return lambda number: _card_line(spelled(number, SCRIPTS[name]))


def _multipart(number: str) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="card_number"\r\n\r\n' + number.encode() + b"\r\n--x--\r\n"


def _fields(number: str) -> bytes:
    return json.dumps({f"card_{index}": part for index, part in enumerate(parts_of(number), 1)}).encode()


#: By name; each makes of a number of 14, 15, 16 or 19 digits what is searched.
WAYS: Mapping[str, Callable[[str], bytes]] = {
    "digits": _card_line,
    **{f"groups, {name}": _separated(name) for name in SEPARATORS},
    "groups, + for space": lambda number: b"GET /pay?card=" + grouped(number, "+").encode() + b"&x=1",
    "groups, %20": lambda number: b"GET /pay?card=" + grouped(number, "%20").encode() + b"&x=1",
    "groups, &nbsp;": lambda number: b"<td>card " + grouped(number, "&nbsp;").encode() + b"</td>",
    "groups, escaped": lambda number: json.dumps({"card": grouped(number, "\u00a0")}).encode(),
    "json in json": lambda number: json.dumps({"body": _document(number)}).encode(),
    **{name: _escaped(name) for name in ("json, all", "url", "url, all", "html", "html, all", "html, all hex")},
    "url twice": lambda number: _line(TEXT_CODECS["url"](TEXT_CODECS["url, all"](_document(number)))),
    **{name: _encoded(name) for name in ("base64", "base64url", "base64, 76", "hex", "HEX", "jwt", "zip")},
    "base64 of digits": lambda number: _line(base64.b64encode(number.encode())),
    "basic": lambda number: b"Authorization: Basic " + base64.b64encode(f"{number}:".encode()),
    "gzip": lambda number: gzip.compress(_document(number).encode(), mtime=0),
    "gzip in base64": lambda number: _line(base64.b64encode(gzip.compress(_document(number).encode(), mtime=0))),
    "deflate": lambda number: zlib.compress(_document(number).encode()),
    "utf-16-le": lambda number: _document(number).encode("utf-16-le"),
    "utf-16-be": lambda number: _document(number).encode("utf-16-be"),
    **{f"digits, {name}": _script(name) for name in ("full-width", "arabic", "mathematical")},
    "multipart": _multipart,
    "neighbouring fields": _fields,
}

#: The ways of typed columns.
TYPED: Mapping[str, Callable[[str], object]] = {
    "integer": int,
    "decimal": Decimal,
    "groups in an array": parts_of,
}
