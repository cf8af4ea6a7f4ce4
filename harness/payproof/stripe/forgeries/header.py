"""Headers that are malformed, doubled or huge."""

from collections.abc import Callable

from payproof.stripe.forgery import Delivery, Forgery, Material, deliver, made_up_secret, signature_of
from payproof.stripe.signature import compose, sign

__all__ = ["FORGERIES"]

_BOTH = frozenset({"python", "node"})
_NODE = frozenset({"node"})
_ENTRIES = 10_000
_BYTES = 64 * 1024


def _literally(value: str) -> Callable[[Material], Delivery]:
    return lambda material: deliver(material, value)


def _t_empty(material: Material) -> Delivery:
    return deliver(material, compose("", [signature_of(material, timestamp="")]))


def _only_t(material: Material) -> Delivery:
    return deliver(material, f"t={material.now}")


def _only_v1(material: Material) -> Delivery:
    return deliver(material, f"v1={signature_of(material)}")


def _good(material: Material) -> str:
    return sign(material.body, secrets=[material.secret], timestamp=material.now)


def _bad(material: Material) -> str:
    return sign(material.body, secrets=[made_up_secret(material)], timestamp=material.now)


def _good_then_bad(material: Material) -> Delivery:
    return deliver(material, _good(material), _bad(material))


def _bad_then_good(material: Material) -> Delivery:
    return deliver(material, _bad(material), _good(material))


def _comma_joined(material: Material) -> Delivery:
    return deliver(material, f"{_good(material)}, {_bad(material)}")


def _entries_10000(material: Material) -> Delivery:
    junk = (material.random.randbytes(32).hex() for _ in range(_ENTRIES - 1))
    return deliver(material, compose(material.now, [*junk, signature_of(material)]))


def _bytes_64k(material: Material) -> Delivery:
    start, end = f"t={material.now},v9=", f",v1={signature_of(material)}"
    return deliver(material, start + "0" * (_BYTES - len(start) - len(end)) + end)


FORGERIES = (
    Forgery("malformed_header.t", "The header is `t`.", _literally("t")),
    Forgery("malformed_header.comma", "The header is a comma.", _literally(",")),
    Forgery("malformed_header.equals", "The header is an equals sign.", _literally("=")),
    Forgery("malformed_header.v1", "The header is `v1`.", _literally("v1")),
    # stripe-node raises a plain Error on an entry without a value, once there is a timestamp.
    Forgery("malformed_header.v1_t1", "The header is `v1,t=1`.", _literally("v1,t=1"), sdk_raises=_NODE),
    Forgery("malformed_header.t_empty", "The timestamp is empty, and signed so.", _t_empty),
    Forgery("malformed_header.plain_text", "The header is a word.", _literally("signature")),
    Forgery("malformed_header.only_t", "A timestamp without a signature.", _only_t),
    Forgery("malformed_header.only_v1", "The right signature without its timestamp.", _only_v1, exact=True),
    # Which field a target sees is its framework's choice: Starlette gives the first, Node joins all with a comma.
    Forgery("two_headers.good_then_bad", "Two fields, the right one first.", _good_then_bad, sdk_accepts=_BOTH),
    Forgery("two_headers.bad_then_good", "Two fields, the right one last.", _bad_then_good, sdk_accepts=_NODE),
    Forgery(
        "two_headers.comma_joined",
        "Both values in one field, as a proxy joins them, the right one first.",
        _comma_joined,
        sdk_accepts=_BOTH,
    ),
    Forgery(
        "huge_header.entries_10000",
        "10,000 signatures, of which the last is right.",
        _entries_10000,
        sdk_accepts=_BOTH,
    ),
    Forgery(
        "huge_header.bytes_64k",
        "A header of 65,536 bytes that ends in the right signature.",
        _bytes_64k,
        sdk_accepts=_BOTH,
    ),
)
