"""What a forgery of a webhook delivery is, and the words in which the files of ``forgeries`` write theirs.

A forgery is pure: its randomness is the material's, its time is the material's ``now``.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from random import Random
from typing import Any

from payproof.domain.documents import read_json
from payproof.errors import ConfigurationError
from payproof.stripe.signature import compose, hexdigest

__all__ = [
    "SIGNATURE_HEADER",
    "Delivery",
    "Forgery",
    "Material",
    "deliver",
    "document_of",
    "made_up_secret",
    "require_secret",
    "signature_of",
    "with_signatures",
]

SIGNATURE_HEADER = b"Stripe-Signature"

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Material:
    """All that a forger may use: a body to start from, secrets, the time, and the run's randomness.

    ``body`` is a JSON object in UTF-8, ``secret`` is the endpoint's own and ``now`` is in seconds since 1970.
    ``previous_secret`` was rolled and is still inside its window; the window of ``retired_secret`` is over.
    """

    body: bytes = field(repr=False)
    secret: str = field(repr=False)
    now: int
    random: Random = field(repr=False)
    _: KW_ONLY
    previous_secret: str | None = field(default=None, repr=False)
    retired_secret: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    publishable_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes over the wire: header fields in order as raw bytes, the exact body, and query parameters."""

    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Forgery:
    """One way to make a delivery, and how Stripe's own SDKs answer it.

    ``name`` is ``<scenario>.<case>``. ``sdk_accepts`` and ``sdk_raises`` are drawn from ``python`` and ``node``: the
    SDKs that, at their default tolerance of 300 s, accept the delivery, or raise something else than their
    SignatureVerificationError; the rest refuse it. The property tests hold both against the real SDKs. ``needs`` names
    the optional fields of the material without which there is no such forgery. The verdict on an ``exact`` one turns on
    a single second: sign it early in a second and send it at once.
    """

    name: str
    summary: str
    forge: Callable[[Material], Delivery] = field(repr=False)
    _: KW_ONLY
    sdk_accepts: frozenset[str] = frozenset()
    sdk_raises: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    exact: bool = False


def deliver(
    material: Material,
    *values: str | bytes,
    body: bytes | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    query: tuple[tuple[str, str], ...] = (),
) -> Delivery:
    """Return a delivery with one ``Stripe-Signature`` field per value (text as UTF-8), by default of the given body."""
    signed = tuple((SIGNATURE_HEADER, value.encode() if isinstance(value, str) else value) for value in values)
    return Delivery((*signed, *headers), material.body if body is None else body, query)


def signature_of(material: Material, *, body: bytes | None = None, timestamp: int | str | None = None) -> str:
    """Return the right ``v1`` digits under the endpoint's secret, by default of the material's body now."""
    return hexdigest(
        material.body if body is None else body, material.secret, material.now if timestamp is None else timestamp
    )


def with_signatures(material: Material, *signatures: str, scheme: str = "v1") -> Delivery:
    """Return a delivery of the material's body, timestamped now, with these signatures."""
    return deliver(material, compose(material.now, signatures, scheme))


def made_up_secret(material: Material) -> str:
    """Return a signing secret of the right shape that no endpoint has."""
    return "whsec_" + "".join(material.random.choices(_BASE62, k=32))


def require_secret(material: Material, name: str) -> str:
    """Return an optional secret of the material.

    Raises:
        ConfigurationError: the material has none.
    """
    secret: str | None = getattr(material, name)
    if secret is None:
        raise ConfigurationError(f"this forgery needs {name}, which is not given")
    return secret


def document_of(material: Material) -> dict[str, Any]:
    """Return the material's body as parsed JSON.

    Raises:
        ConfigurationError: the body is no JSON object.
    """
    try:
        document = read_json(material.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConfigurationError("this forgery starts from a JSON object, which the given body is not")
    return document
