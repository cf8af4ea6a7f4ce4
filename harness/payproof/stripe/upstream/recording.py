"""What is recorded of a call: everything, after the run's ledger has replaced what is sensitive."""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Protocol

from payproof.domain.sensitive import LIVE_KEYS, Exposure
from payproof.domain.stripe_call import KeyKind, StripeCall
from payproof.stripe.api import ApiRequest, api_key
from payproof.stripe.form import FormError, leaves

__all__ = ["KEY_LABEL", "key_kind", "record_call"]

KEY_LABEL = "API key of a call"
_MOST_PARAMETERS = 500


class Concealing(Protocol):
    """The run's ledger, as far as a record needs it."""

    def add(self, kind: str, label: str, value: bytes, *, lasting: bool = False) -> None:
        """Register a value."""
        ...

    def conceal_all(
        self, parts: Iterable[tuple[bytes, str]], *, ever: bool = False
    ) -> list[tuple[bytes, tuple[Exposure, ...]]]:
        """Return each part with every value replaced that was ever registered, and what was found where."""
        ...


def key_kind(key: str) -> KeyKind:
    """Return what sort of API key it is."""
    if not key:
        return KeyKind.NONE
    if key.startswith(LIVE_KEYS):
        return KeyKind.LIVE
    return KeyKind.TEST if key.startswith(("sk_test_", "rk_test_")) else KeyKind.OTHER


def record_call(
    request: ApiRequest,
    headers: Sequence[tuple[str, str]],
    ledger: Concealing,
    *,
    number: int,
    at: float,
    secure: bool,
    connection: str,
    elsewhere: bool,
) -> StripeCall:
    """Return the record of a call that has just arrived; its API key is known to the ledger from then on.

    The key itself is in its place in every call, so it is replaced there without being told as an exposure.
    """
    key = api_key(request.headers)
    ledger.add("secret", KEY_LABEL, key.encode(), lasting=True)
    exposures: list[Exposure] = []

    def plain(*texts: tuple[str, str]) -> list[str]:
        given = [(text.encode("utf-8", "surrogateescape"), where) for text, where in texts]
        told = ledger.conceal_all(given, ever=True)
        exposures.extend(exposure for _, found in told for exposure in found)
        return [concealed.decode("utf-8", "replace") for concealed, _ in told]

    unreadable, parameters = "", []
    try:
        parameters = list(islice(leaves(request.parameters()), _MOST_PARAMETERS))
    except FormError as error:
        unreadable = str(error)
    method, path, unreadable, *names = plain(
        (request.method, "method"),
        (request.path, "path"),
        (unreadable, "parameters"),
        *((name, "a parameter's name") for name, _ in parameters),
        *((name.lower(), "a header's name") for name, _ in headers),
    )
    labels = names[len(parameters) :]
    values = plain(
        *((value, f"parameter {name}") for (_, value), name in zip(parameters, names, strict=False)),
        *(
            # The key itself is in its place in every call.
            ("", "") if name.lower() == "authorization" else (value, f"header {label}")
            for (name, value), label in zip(headers, labels, strict=True)
        ),
    )
    key_header = "[secret: API key]" if key else "[unreadable]"
    shown_headers = tuple(
        (label, key_header if name.lower() == "authorization" else value)
        for (name, _), label, value in zip(headers, labels, values[len(parameters) :], strict=True)
    )
    found = dict(shown_headers)
    return StripeCall(
        number=number,
        method=method,
        path=path,
        parameters=tuple(zip(names, values, strict=False))[: len(parameters)],
        headers=shown_headers,
        digest=hashlib.sha256(request.form.encode("utf-8", "surrogateescape")).hexdigest(),
        key=key_kind(key),
        at=at,
        idempotency_key=found.get("idempotency-key"),
        api_version=found.get("stripe-version"),
        account=found.get("stripe-account"),
        secure=secure,
        connection=connection,
        elsewhere=elsewhere,
        unreadable=unreadable,
        exposures=tuple(exposures),
    )
