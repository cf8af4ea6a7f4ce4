"""Deliveries whose signature is the right one in a wrong form: scheme, hash, encoding, length, coverage, alphabet."""

import base64
import hmac
from collections.abc import Callable

from payproof.stripe.forgery import Delivery, Forgery, Material, deliver, signature_of, with_signatures
from payproof.stripe.signature import compose, hexdigest

__all__ = ["FORGERIES"]

_PYTHON = frozenset({"python"})
_NODE = frozenset({"node"})
_NON_ASCII = "\u00e9"


def _under_scheme(scheme: str) -> Callable[[Material], Delivery]:
    return lambda material: with_signatures(material, signature_of(material), scheme=scheme)


def _over(message: bytes, material: Material, algorithm: str = "sha256") -> bytes:
    return hmac.digest(material.secret.encode(), message, algorithm)


def _with_hash(algorithm: str) -> Callable[[Material], Delivery]:
    return lambda material: with_signatures(
        material, _over(f"{material.now}.".encode() + material.body, material, algorithm).hex()
    )


def _base64(material: Material) -> Delivery:
    return with_signatures(material, base64.b64encode(bytes.fromhex(signature_of(material))).decode())


def _key_without_prefix(material: Material) -> Delivery:
    bare = material.secret.removeprefix("whsec_")
    key = bare if bare != material.secret else f"whsec_{bare}"
    return with_signatures(material, hexdigest(material.body, key, material.now))


def _base64_decoded_key(material: Material) -> Delivery:
    """Sign as Standard Webhooks does; what is no base64 is passed over, as lenient decoders do."""
    digits = [c for c in material.secret.removeprefix("whsec_") if c.isascii() and (c.isalnum() or c in "+/")]
    key = base64.b64decode("".join(digits[: len(digits) // 4 * 4]))
    return with_signatures(material, hexdigest(material.body, key, material.now))


def _first(digits: int) -> Callable[[Material], Delivery]:
    return lambda material: with_signatures(material, signature_of(material)[:digits])


def _digits_65(material: Material) -> Delivery:
    return with_signatures(material, signature_of(material) + material.random.choice("0123456789abcdef"))


def _body_alone(material: Material) -> Delivery:
    return with_signatures(material, _over(material.body, material).hex())


def _timestamp_alone(material: Material) -> Delivery:
    return with_signatures(material, _over(str(material.now).encode(), material).hex())


def _empty_body(material: Material) -> Delivery:
    return with_signatures(material, _over(b"%d." % material.now, material).hex())


def _colon_between(material: Material) -> Delivery:
    return with_signatures(material, _over(f"{material.now}:".encode() + material.body, material).hex())


def _one_non_ascii(material: Material) -> Delivery:
    # Latin-1 on the wire: one byte that header parsers turn into one character, so that the length stays right.
    return _latin_1(material, signature_of(material)[:-1] + _NON_ASCII)


def _all_non_ascii(material: Material) -> Delivery:
    return _latin_1(material, _NON_ASCII * 64)


def _latin_1(material: Material, signature: str) -> Delivery:
    return deliver(material, compose(material.now, [signature]).encode("latin-1"))


FORGERIES = (
    Forgery("other_scheme.v0_only", "The right signature, offered only as `v0`.", _under_scheme("v0")),
    Forgery("other_scheme.v2", "The right signature, offered as `v2`.", _under_scheme("v2")),
    Forgery("other_scheme.upper_v1", "The right signature, offered as `V1`.", _under_scheme("V1")),
    Forgery("other_scheme.sha1", "HMAC-SHA1 instead of HMAC-SHA256.", _with_hash("sha1")),
    Forgery("other_scheme.sha512", "HMAC-SHA512 instead of HMAC-SHA256.", _with_hash("sha512")),
    Forgery("other_scheme.base64", "The right signature in base64 instead of hexadecimal.", _base64),
    Forgery(
        "other_scheme.key_without_prefix",
        "Signed with the secret without its `whsec_`; where it has none, with it.",
        _key_without_prefix,
    ),
    Forgery(
        "other_scheme.base64_decoded_key",
        "Signed with the base64-decoded secret, as Standard Webhooks does.",
        _base64_decoded_key,
    ),
    Forgery("truncated.first_1", "The first hexadecimal digit of the right signature.", _first(1)),
    Forgery("truncated.first_8", "The first 8 hexadecimal digits of the right signature.", _first(8)),
    Forgery("truncated.first_32", "The first 32 hexadecimal digits of the right signature.", _first(32)),
    Forgery("truncated.first_63", "The right signature without its last digit.", _first(63)),
    # stripe-node raises a plain Error on an empty entry: "secureCompare must receive two arguments".
    Forgery("truncated.empty_v1", "An empty `v1`, which every signature starts with.", _first(0), sdk_raises=_NODE),
    Forgery("truncated.digits_65", "The right signature and one digit more.", _digits_65),
    Forgery("body_not_covered.body_alone", "The signature of the body without the timestamp.", _body_alone),
    Forgery("body_not_covered.timestamp_alone", "The signature of the timestamp without the body.", _timestamp_alone),
    Forgery("body_not_covered.empty_body", "The signature of an empty body, as of a stream read before.", _empty_body),
    Forgery("body_not_covered.colon_between", "A colon is signed where the dot belongs.", _colon_between),
    # hmac.compare_digest refuses non-ASCII text with TypeError; timingSafeEqual refuses unequal bytes with RangeError.
    Forgery(
        "non_ascii_signature.one_byte",
        "The last digit of the right signature is the byte 0xE9.",
        _one_non_ascii,
        sdk_raises=_PYTHON | _NODE,
    ),
    Forgery(
        "non_ascii_signature.all_bytes",
        "64 bytes 0xE9 in place of a signature.",
        _all_non_ascii,
        sdk_raises=_PYTHON | _NODE,
    ),
)
