"""Stripe's webhook signature: made as Stripe makes it, and explained where it does not verify.

The scheme is that of https://docs.stripe.com/webhooks/signature: ``v1`` is the hexadecimal HMAC-SHA256 of
``<t>.<raw body>`` under the endpoint's whole secret, ``whsec_`` included.
"""

import base64
import binascii
import contextlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payproof.domain.documents import read_json

__all__ = ["Diagnosis", "compose", "diagnose", "hexdigest", "serialisations", "sign"]

_WHOLE_SECONDS = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]*", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?", re.ASCII)
_HEX_DIGITS = 64
_BOM = b"\xef\xbb\xbf"
_UNEXPLAINED = (
    "The payload or the secret differs from what was signed. Check that the raw body is verified, not a parsed one; "
    "that the secret is this endpoint's own, of the same mode (test or live); and, behind `stripe listen`, that it is "
    "the secret which that command prints, as it differs from the dashboard endpoint's."
)

_Variant = tuple[str, bytes]  # how it differs from what was given ("" where it does not), and its bytes


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether a signature verifies and, where it does not, why; holds neither payload nor secret."""

    verifies: bool
    reasons: tuple[str, ...]


def hexdigest(payload: bytes, secret: str | bytes, timestamp: int | str) -> str:
    """Return the 64 lower-case hexadecimal digits of a ``v1`` signature; a text timestamp is signed as it is."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, f"{timestamp}.".encode() + payload, "sha256").hex()


def compose(timestamp: int | str, signatures: Iterable[str], scheme: str = "v1") -> str:
    """Return the header value ``t=..,v1=..[,v1=..]`` for signatures that are already made."""
    return ",".join((f"t={timestamp}", *(f"{scheme}={signature}" for signature in signatures)))


def sign(payload: bytes, *, secrets: Sequence[str | bytes], timestamp: int, scheme: str = "v1") -> str:
    """Return the ``Stripe-Signature`` value for a body, with one signature per secret, in their order.

    ``timestamp`` is in seconds since 1970. Two secrets are what Stripe sends while an endpoint's secret is rolled.
    """
    return compose(timestamp, (hexdigest(payload, secret, timestamp) for secret in secrets), scheme)


def serialisations(document: Any) -> Mapping[str, bytes]:
    """Return the forms in which frameworks write a parsed JSON document back, by how each is made.

    A target that verifies one of them instead of the raw body trusts bytes that nobody sent.
    """
    forms: dict[str, bytes] = {}
    for layout, layout_options in (
        ("compact JSON", {"separators": (",", ":")}),
        ("JSON with an indent of 2 spaces", {"indent": 2}),
        ("JSON with the separators of json.dumps", {}),
    ):
        for order, sort_keys in (("", False), (", keys sorted", True)):
            for letters, ensure_ascii in (("", False), (", non-ASCII escaped", True)):
                text = json.dumps(document, ensure_ascii=ensure_ascii, sort_keys=sort_keys, **layout_options)
                forms[layout + order + letters] = text.encode("utf-8", "surrogatepass")
    return forms


def diagnose(payload: bytes, header: str, secret: str, *, now: int, tolerance: int = 300) -> Diagnosis:
    """Say whether a signature verifies and, where it does not, which known mistake explains it.

    Stricter than most SDKs: exactly one ``t``, in plain decimal digits, and no further than ``tolerance`` seconds
    from ``now`` (seconds since 1970) in either direction.
    """
    name, colon, rest = header.partition(":")
    named = bool(colon) and name.strip().lower() == "stripe-signature"
    entries = [entry.partition("=")[::2] for entry in (rest.strip() if named else header).split(",")]
    times = [value for key, value in entries if key == "t"]
    signatures = [value for key, value in entries if key == "v1"]

    reasons = []
    if named:
        reasons.append("The header's own name was copied into its value: pass only what follows the colon.")
    if not secret.strip():
        reasons.append("The secret is empty: anyone can sign with an empty key.")
    reasons += _missing_parts(header, {key for key, _ in entries}, times)
    if signatures and len(times) == 1 and _WHOLE_SECONDS.fullmatch(times[0]):
        late = _out_of_time(now - int(times[0]), tolerance)
        expected = hexdigest(payload, secret, times[0]).encode()
        if any(hmac.compare_digest(expected, value.encode("utf-8", "replace")) for value in signatures):
            if not reasons and not late:
                return Diagnosis(verifies=True, reasons=())
            reasons += ["The signature itself matches this payload and secret.", *late]
        else:
            reasons += [*late, *_mismatch(payload, secret, times[0], signatures)]
    return Diagnosis(verifies=False, reasons=tuple(reasons))


def _missing_parts(header: str, schemes: set[str], times: Sequence[str]) -> Iterator[str]:
    if not header.strip():
        yield "The header is empty."
        return
    if not times:
        yield "The header has no timestamp `t`."
    elif len(times) > 1:
        yield f"The header has {len(times)} timestamps `t`: one is expected, and which one counts is unclear."
    elif not _WHOLE_SECONDS.fullmatch(times[0]):
        yield "The timestamp `t` is not a number of whole seconds in plain decimal digits."
    if "v1" not in schemes and "v0" in schemes:
        yield "The header has only a `v0` signature, which Stripe makes for tests: only `v1` counts."
    elif "v1" not in schemes:
        yield "The header has no `v1` signature."


def _out_of_time(age: int, tolerance: int) -> tuple[str, ...]:
    if age > tolerance:
        return (f"The timestamp is too old by {age - tolerance} s: signed {age} s ago, {tolerance} s are tolerated.",)
    if -age > tolerance:
        return (f"The timestamp is in the future by {-age} s: {tolerance} s are tolerated; compare the clocks.",)
    return ()


def _mismatch(payload: bytes, secret: str, timestamp: str, signatures: Sequence[str]) -> Iterator[str]:
    yield from dict.fromkeys(sentence for value in signatures for sentence in _wrong_shape(value))
    digests = {digest for value in signatures if (digest := _read(value)) is not None}
    if digests:
        yield from _explain(payload, secret, timestamp, digests)


def _wrong_shape(value: str) -> Iterator[str]:
    if not value:
        yield "A `v1` signature is empty."
    elif _BASE64.fullmatch(value):
        yield "A `v1` signature is written in base64: 64 hexadecimal digits are expected."
    elif not _HEX.fullmatch(value):
        yield "A `v1` signature has characters that are not hexadecimal digits."
    elif len(value) != _HEX_DIGITS:
        yield f"A `v1` signature has the wrong length: {len(value)} hexadecimal digits instead of {_HEX_DIGITS}."
    elif value != value.lower():
        yield "A `v1` signature is written in upper case: lower-case hexadecimal digits are expected."


def _read(value: str) -> bytes | None:
    if _BASE64.fullmatch(value):
        return base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_").rstrip("=") + "=")
    return bytes.fromhex(value) if _HEX.fullmatch(value) and len(value) == _HEX_DIGITS else None


def _explain(payload: bytes, secret: str, timestamp: str, digests: set[bytes]) -> Iterator[str]:
    start = f"{timestamp}.".encode()
    messages = [(how, start + body) for how, body in _bodies(payload)]
    for body, message in (*messages, ("alone, without the timestamp before it", payload)):
        for key, secret_bytes in _keys(secret):
            if hmac.digest(secret_bytes, message, "sha256") in digests:
                if body:
                    yield f"The signature is right for the body {body}: verify `<t>.<raw body>`, byte for byte."
                if key:
                    yield f"The signature was made with the secret {key}: use the endpoint's secret exactly as issued."
                if not body and not key:
                    yield "The signature's bytes are right; only the way they are written is wrong."
                return
    yield _UNEXPLAINED


def _bodies(payload: bytes) -> Iterator[_Variant]:
    """Yield what may have been signed when this payload is what the verification was given."""
    yield "", payload
    yield "with its trailing newline removed", payload.rstrip(b"\r\n")
    yield "with a trailing newline added", payload + b"\n"
    yield "with a trailing CRLF added", payload + b"\r\n"
    yield "with CRLF line ends turned into LF", payload.replace(b"\r\n", b"\n")
    yield "with LF line ends turned into CRLF", re.sub(rb"(?<!\r)\n", b"\r\n", payload)
    yield "with its byte order mark removed", payload.removeprefix(_BOM)
    yield "with a byte order mark added", _BOM + payload
    yield "decoded as Latin-1 and encoded as UTF-8", payload.decode("latin-1").encode()
    with contextlib.suppress(UnicodeError):
        yield "before it was decoded as Latin-1 and encoded as UTF-8", payload.decode().encode("latin-1")
    try:
        document = read_json(payload)
    except ValueError:
        return
    for how, form in serialisations(document).items():
        yield f"written anew as {how}", form


def _keys(secret: str) -> Iterator[_Variant]:
    """Yield the keys that may have made the signature when this secret is what the verification was given."""
    bare = secret.strip()
    unquoted = bare.strip("\"'`")
    yield "", secret.encode()
    yield "without the whitespace around it", bare.encode()
    yield "with a newline after it", f"{secret}\n".encode()
    yield "without the quotes around it", unquoted.encode()
    yield "in quotes", f'"{bare}"'.encode()
    yield "without its `whsec_` prefix", unquoted.removeprefix("whsec_").encode()
    yield "with a `whsec_` prefix", f"whsec_{unquoted}".encode()
    yield "left empty", b""
    encoded = unquoted.removeprefix("whsec_")
    try:
        yield "base64-decoded, as in Standard Webhooks", base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return
