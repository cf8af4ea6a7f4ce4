"""The ways in which a card number may be written: the bytes that then stand in a store or a log."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.scan._writing import BYTE_CODECS, SCRIPTS, SEPARATORS, TEXT_CODECS, grouped, parts_of, spelled

__all__ = ["RUN_ON", "TYPED", "WAYS"]


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


def _wrapped(text: str, at: int, end: str = "\n") -> bytes:
    """Return a log line that ends within what it tells, so many characters after the number's name."""
    line = f"2026-11-23T05:00:00Z INFO charging card {text} for 12.00 EUR\n"
    place = line.index("card ") + len("card ") + at
    return (line[:place] + end + line[place:]).encode()


def _parts(begin: str, between: str, end: str) -> Callable[[str], bytes]:
    """Return how a number's groups are written in fields; ``#`` stands for a field's number."""

    def write(number: str) -> bytes:
        parts = parts_of(number)
        fields = (f"{begin}{part}{end}".replace("#", str(index)) for index, part in enumerate(parts, 1))
        return between.join(fields).encode()

    return write


#: Ways that only work where the digits are those of nearly all cards: 15 or 16.
RUN_ON: Mapping[str, Callable[[str], bytes]] = {
    "digits, expiry behind": lambda number: f'{{"pan":"{number}0429","amount":1200}}'.encode(),
    "digits, year and month behind": lambda number: f'{{"pan":"{number}2904101"}}'.encode(),
    "digits, more before": lambda number: f"card_number=990{number}&x=1".encode(),
    "digits, more behind": lambda number: f"card_number={number}00777&x=1".encode(),
}

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
    "groups in a form": _parts("card#=", "&", ""),
    "groups in numbers": _parts('"card#": ', ", ", ""),
    "groups in a list": lambda number: f'{{"card": [{", ".join(parts_of(number))}]}}'.encode(),
    "groups in XML": _parts("<card#>", "", "</card#>"),
    "groups in CSV": lambda number: f"2026-11-23;card;{';'.join(parts_of(number))};EUR\n".encode(),
    "groups, a field to a line": _parts("card_#: ", "\n", ""),
    "groups, two spaces": lambda number: _card_line(grouped(number, "  ")),
    "groups, spaces and dash": lambda number: _card_line(grouped(number, " - ")),
    "groups, spaces and en dash": lambda number: _card_line(grouped(number, " \u2013 ")),
    "groups, two dashes": lambda number: _card_line(grouped(number, "--")),
    "groups, dots": lambda number: _card_line(grouped(number, "...")),
    "groups, two tabs": lambda number: _card_line(grouped(number, "\t\t")),
    "groups, two underscores": lambda number: _card_line(grouped(number, "__")),
    "groups, no-break spaces": lambda number: _card_line(grouped(number, "\u00a0\u00a0")),
    "digits over two lines": lambda number: _wrapped(number, 8),
    "digits over two lines, CRLF": lambda number: _wrapped(number, 5, "\r\n"),
    "digits over two lines, soft": lambda number: _wrapped(number, 10, "=\r\n"),
    "digits over two lines, indented": lambda number: _wrapped(number, 9, "\n  "),
    "digits over two lines, quoted": lambda number: _wrapped(number, 7, "\n> "),
    "digits over two lines, in JSON": lambda number: json.dumps({"note": f"card {number[:7]}\n{number[7:]}"}).encode(),
    "groups over two lines": lambda number: _wrapped(grouped(number, " "), 7),
    "groups over two lines, indented": lambda number: _wrapped(grouped(number, "-"), 5, "\n    "),
    "glued to a word": lambda number: f"paid by card{number} at 05:00".encode(),
    "glued to a name": lambda number: f"cardNumber{number}&x=1".encode(),
    "glued to a name by _": lambda number: f"upload/my_card_{number}.pdf".encode(),
    "glued to two words": lambda number: f"visa{number}exp1229 stored".encode(),
    "glued under a name": lambda number: f'{{"card_number": "N{number}"}}'.encode(),
    "groups glued to a word": lambda number: f"CCNUM{grouped(number, '-')}X".encode(),
    "digits before it": lambda number: f'{{"card_number": "001-{number}"}}'.encode(),
    "digits behind it": lambda number: f"card {number}-01 charged".encode(),
    "digits around it": lambda number: f"pan=12_{number}_34".encode(),
    "digits, padded": lambda number: f'{{"card_number": "000000{number}"}}'.encode(),
    "under another name, expiry": lambda number: f"order_id={number} exp 04/29".encode(),
    "under another name, code": lambda number: f'{{"reference": "{number}", "cvc": "123"}}'.encode(),
    "under another name, month": lambda number: f'{{"id": "{number}", "exp_month": 4, "exp_year": 2029}}'.encode(),
    "under another name, list": lambda number: f"txn {number}|04|29|123".encode(),
    "groups under another name": lambda number: f'{{"order_id": "{grouped(number, " ")}"}}'.encode(),
    "groups with dashes under another name": lambda number: f"phone: {grouped(number, '-')}".encode(),
}

#: The ways of typed columns.
TYPED: Mapping[str, Callable[[str], object]] = {
    "integer": int,
    "decimal": Decimal,
    "groups in an array": parts_of,
}
