"""Bodies that an operation is not to take: one field of a sound body is wrong at a time; pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

__all__ = ["Invalid", "InvalidBody", "invalid_bodies"]

Invalid = Literal[
    "types", "missing", "nulls", "numbers", "amounts", "currency", "nesting", "twice", "characters", "sql",
    "templates", "long", "no_json",
]  # fmt: skip
#: What is wrong, the content type, and the body.
InvalidBody = tuple[str, bytes, bytes]

_JSON = b"application/json"
_LONG = 1024 * 1024
_DEEP, _DEEPEST = 1500, 50_000  # the first goes through limits of size
_HOLE = '"\\u0000payproof-hole"'
_AMOUNTS = ("amount", "price", "quantity", "total", "unit_amount")
_SQL = ("' OR '1'='1", "1; DROP TABLE customers --", '" UNION SELECT NULL, version() --', "'||(SELECT 1)||'")
_TEMPLATES = ("{{7*7}}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "${jndi:ldap://127.0.0.1/a}", "{% debug %}")

#: JSON texts by what they are; TEXT stands for the text that is to be recognised.
_VALUES: Mapping[str, Mapping[str, str]] = {
    "types": {
        "a number": "7", "a fraction": "1.5", "true": "true", "a list": '["TEXT"]', "an empty list": "[]",
        "an object": '{"TEXT": 1}', "an empty object": "{}", "a text": '"TEXT"', "no text": '""',
    },
    "nulls": {"null": "null"},
    "numbers": {
        "NaN": "NaN", "Infinity": "Infinity", "an overflow": "1e999", "a huge number": "9" * 400,
        "a negative number": "-1", "a tiny fraction": "1e-400", "minus zero": "-0", "digits in groups": "1_000",
    },
    "amounts": {
        "a negative amount": "-1", "zero": "0", "a fraction": "0.5", "half a cent too much": "500.5",
        "a huge amount": "1" + "0" * 18, "NaN": "NaN", "an amount in words": '"TEXT"', "a list": "[500]",
    },
    "currency": {"an unknown currency": '"zzz"', "no currency": '""', "a number": "840", "a long one": '"usdTEXT"'},
}  # fmt: skip


def invalid_bodies(kind: Invalid, body: Mapping[str, Any], text: str) -> Iterator[InvalidBody]:
    """Yield what to send in place of a sound body; ``text`` stands in it wherever a text can, to be recognised."""
    match kind:
        case "no_json":
            yield from _write_no_json(text)
        case "missing":
            yield "an empty body", _JSON, b""
            yield "an empty object", _JSON, b"{}"
            for name in body:
                yield f"no {name}", _JSON, json.dumps({key: one for key, one in body.items() if key != name}).encode()
        case "nesting":
            yield "deep lists", _JSON, b"[" * _DEEP + b"]" * _DEEP
            yield "deepest lists", _JSON, b"[" * _DEEPEST + b"]" * _DEEPEST
            yield "deep objects", _JSON, b'{"a":' * _DEEP + b"1" + b"}" * _DEEP
            yield from _each(body, {"deep lists": "[" * _DEEP + "]" * _DEEP})
        case "twice":
            for name, value in body.items():
                inner = json.dumps(dict(body))[:-1]
                yield (
                    f"{name} twice",
                    _JSON,
                    f"{inner}, {json.dumps(name)}: {json.dumps(_other(value, text))}}}".encode(),
                )
        case "characters":
            yield "a byte order mark", _JSON, b"\xef\xbb\xbf" + json.dumps(dict(body)).encode()
            yield "UTF-16", _JSON, json.dumps({**body, "note": text}).encode("utf-16")
            yield from _each(
                body,
                {
                    "a lone surrogate": f'"{text}\\ud800"',
                    "NUL": f'"{text}\\u0000"',
                    "text from right to left": f'"\\u202e{text}"',
                },
            )
            for name in body:
                broken = _replace(body, name, f'"{text}@"').replace(b"@", b"\xff\xfe")
                yield f"{name} in no UTF-8", _JSON, broken
        case _:
            yield from _each(_fields_of(kind, body), _values_of(kind, text), body)


def _values_of(kind: Invalid, text: str) -> Mapping[str, str]:
    """Return JSON texts by what they are."""
    written = {
        "sql": {f"SQL {number}": json.dumps(one + text) for number, one in enumerate(_SQL, 1)},
        "templates": {f"template {number}": json.dumps(one + text) for number, one in enumerate(_TEMPLATES, 1)},
        "long": {"a text of 1 MB": json.dumps(text + "a" * (_LONG if kind == "long" else 0))},
    }
    if kind in written:
        return written[kind]
    return {what: value.replace("TEXT", text) for what, value in _VALUES[kind].items()}


def _fields_of(kind: Invalid, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields that can be wrong in a way."""
    if kind == "amounts":
        return {name: one for name, one in body.items() if _is_number(one) or name.lower() in _AMOUNTS}
    if kind == "currency":
        return {name: one for name, one in body.items() if name.lower() == "currency"}
    return body


def _each(
    fields: Mapping[str, Any], values: Mapping[str, str], body: Mapping[str, Any] | None = None
) -> Iterator[InvalidBody]:
    """Yield the body with each value in place of each field, but where the field is of that very value."""
    for name, right in fields.items():
        for what, value in values.items():
            if value != json.dumps(right):
                yield f"{name} is {what}", _JSON, _replace(fields if body is None else body, name, value)


def _replace(body: Mapping[str, Any], name: str, value: str) -> bytes:
    return json.dumps({**body, name: "\0payproof-hole"}).replace(_HOLE, value).encode("utf-8", "surrogatepass")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _other(value: Any, text: str) -> Any:
    return -1 if _is_number(value) else text


def _write_no_json(text: str) -> Iterator[InvalidBody]:
    yield "words", _JSON, text.encode()
    yield "half an object", _JSON, f'{{"note": "{text}"'.encode()
    yield "a list", _JSON, f'["{text}"]'.encode()
    yield "a number", _JSON, b"7"
    yield "null", _JSON, b"null"
    yield "zeros", _JSON, b"\0" * 20
    yield "a form", b"application/x-www-form-urlencoded", f"note={text}".encode()
    yield "parts without a boundary", b"multipart/form-data", f"--x\r\n\r\n{text}".encode()
    yield "XML", b"application/xml", f'<!DOCTYPE a [<!ENTITY b "{text}">]><a>&b;</a>'.encode()
    yield "no content type", b"", f'{{"note": "{text}"}}'.encode()
