"""What is recorded of a call: everything, after the run's ledger has replaced what is sensitive."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

from harness.domain.sensitive import LIVE_KEYS, Exposure
from harness.domain.stripe_call import KeyKind, StripeCall
from harness.stripe.api import ApiRequest, api_key
from harness.stripe.form import FormError, leaves

__all__ = ["KEY_LABEL", "key_kind", "recorded"]

KEY_LABEL = "API key of a call"
_MOST_PARAMETERS = 500


class Concealing(Protocol):
    """The run's ledger, as far as a record needs it."""

    def add(self, kind: str, label: str, value: bytes, *, lasting: bool = False) -> None:
        """Register a value."""
        ...

    def conceal(self, data: bytes, where: str = "") -> tuple[bytes, tuple[Exposure, ...]]:
        """Return the data with every registered value replaced, and what was found where."""
        ...


def key_kind(key: str) -> KeyKind:
    """Return what sort of API key it is."""
    if not key:
        return KeyKind.NONE
    if key.startswith(LIVE_KEYS):
        return KeyKind.LIVE
    return KeyKind.TEST if key.startswith(("sk_test_", "rk_test_")) else KeyKind.OTHER


def recorded(
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

    def plain(text: str, where: str) -> str:
        concealed, found = ledger.conceal(text.encode("utf-8", "surrogateescape"), where)
        exposures.extend(found)
        return concealed.decode("utf-8", "replace")

    unreadable, parameters = "", []
    try:
        for name, value in leaves(request.parameters()):
            shown = plain(name, "a parameter's name")
            parameters.append((shown, plain(value, f"parameter {shown}")))
    except FormError as error:
        unreadable = str(error)
    key_header = "[secret: API key]" if key else "[unreadable]"
    shown_headers = tuple(
        (name.lower(), key_header if name.lower() == "authorization" else plain(value, f"header {name.lower()}"))
        for name, value in headers
    )
    found = dict(shown_headers)
    return StripeCall(
        number=number,
        method=request.method,
        path=plain(request.path, "path"),
        parameters=tuple(parameters[:_MOST_PARAMETERS]),
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
