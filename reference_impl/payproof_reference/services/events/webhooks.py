"""Verification and parsing of what arrives at the webhook.

The SDK's `WebhookSignature` is not used: version 16.1.0 raises TypeError for a non-ASCII byte in `v1`, accepts
timestamps of the future and headers with two timestamps, decodes the body before it is verified, carries the payload
in its exception, and knows one secret only. What remains after guarding against all that is one HMAC.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from payproof_reference.services.stripe.snapshots import Timestamp
from payproof_reference.settings import Settings
from payproof_reference.text import strict_json

__all__ = [
    "Cause",
    "RejectedError",
    "SignatureHeader",
    "StripeEvent",
    "candidate_secrets",
    "connect_secrets",
    "is_fresh",
    "matches",
    "parse",
    "parse_header",
    "signature_of",
    "verify",
]

# Stripe sends one timestamp, one v1 per secret (two while a secret is rolled) and, in test mode, one v0.
LONGEST_HEADER = 4096
MOST_SIGNATURES = 16
# 11 digits reach beyond the year 5000. [0-9] and not \d, which takes the digits of every script.
TIMESTAMP_SHAPE = re.compile(r"0|[1-9][0-9]{0,10}")
SIGNATURE_SHAPE = re.compile(r"[0-9a-f]{64}")


class Cause(StrEnum):
    """Why a delivery was refused: for the log, never for the answer."""

    MISSING_HEADER = "missing_header"
    MALFORMED_HEADER = "malformed_header"
    NO_MATCHING_SIGNATURE = "no_matching_signature"
    TIMESTAMP_OUTSIDE_TOLERANCE = "timestamp_outside_tolerance"
    BODY_TOO_LARGE = "body_too_large"
    NOT_AN_EVENT = "not_an_event"
    NOT_JSON = "not_json"


class RejectedError(Exception):
    """A delivery is refused; carries the cause and nothing of what was sent."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    """A well-formed `Stripe-Signature`: seconds since the epoch, and every `v1` as it was sent."""

    timestamp: int
    signatures: tuple[str, ...]


class EventData(BaseModel):
    """The `data` of an event; `object` is the snapshot of the billing object."""

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    object: dict[str, Any]


class StripeEvent(BaseModel):
    """A Stripe snapshot event, reduced to what the service uses; `created` is in seconds since the epoch.

    `account` names the connected account that an event is of, `context` the one of an organisation; the events of an
    account's own have neither. Source: `Event` in Stripe's SDK, version 16.1.0.
    """

    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^evt_[A-Za-z0-9_]{1,250}$")]
    object: Literal["event"]
    type: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$", max_length=100)]
    created: Timestamp
    livemode: bool
    account: str | None = None
    context: str | None = None
    data: EventData


def verify(headers: Sequence[str], body: bytes, secrets: Sequence[str], now: int, tolerance: int) -> None:
    """Return only when the bytes of the body were signed with one of the secrets, within the tolerance.

    The signature is judged before the timestamp, so that "outside tolerance" in the log means a delivery that was
    once genuine: somebody holds old signed bodies.

    Args:
        headers: the value of every `Stripe-Signature` header of the request.
        body: the raw body, before any decoding.
        secrets: the secrets that are valid now.
        now: seconds since the epoch.
        tolerance: seconds, into the past and into the future.

    Raises:
        RejectedError: with the cause. Source: https://docs.stripe.com/webhooks/signature.
    """
    header = parse_header(headers)
    if not matches(header, body, secrets):
        raise RejectedError(Cause.NO_MATCHING_SIGNATURE)
    if not is_fresh(header.timestamp, now, tolerance):
        raise RejectedError(Cause.TIMESTAMP_OUTSIDE_TOLERANCE)


def parse_header(headers: Sequence[str]) -> SignatureHeader:
    """Read exactly one header with exactly one timestamp; schemes other than `v1` are skipped.

    Raises:
        RejectedError: MISSING_HEADER or MALFORMED_HEADER, whatever the text is.
    """
    if not any(headers):
        raise RejectedError(Cause.MISSING_HEADER)
    # Two headers, or two timestamps, leave open which of them was checked: a stale signature could pass as fresh.
    if len(headers) != 1 or len(headers[0]) > LONGEST_HEADER or not headers[0].isascii():
        raise RejectedError(Cause.MALFORMED_HEADER)
    pairs = [element.partition("=") for element in headers[0].split(",")]
    timestamps = [value for name, _, value in pairs if name == "t"]
    signatures = tuple(value for name, _, value in pairs if name == "v1")
    if (
        not all(equals for _, equals, _ in pairs)
        or len(timestamps) != 1
        or not TIMESTAMP_SHAPE.fullmatch(timestamps[0])
        or not 1 <= len(signatures) <= MOST_SIGNATURES
    ):
        raise RejectedError(Cause.MALFORMED_HEADER)
    return SignatureHeader(int(timestamps[0]), signatures)


def candidate_secrets(settings: Settings, now: int) -> tuple[str, ...]:
    """List the current secret and the rolled ones whose window is still open at `now` (seconds since the epoch)."""
    moment = datetime.fromtimestamp(now, UTC)
    current = settings.stripe_webhook_secret.get_secret_value()
    rolled = (
        previous.secret.get_secret_value()
        for previous in settings.stripe_previous_webhook_secrets
        if moment <= previous.valid_until
    )
    return (current, *rolled)


def connect_secrets(settings: Settings) -> tuple[str, ...]:
    """List the secrets of the endpoint for Connect: none where there is no such endpoint."""
    secret = settings.stripe_connect_webhook_secret
    return () if secret is None else (secret.get_secret_value(),)


def matches(header: SignatureHeader, body: bytes, secrets: Sequence[str]) -> bool:
    """Tell whether any `v1` is the signature of timestamp and body under any secret, in constant time per pair."""
    offered = [text.encode("ascii") for text in header.signatures if SIGNATURE_SHAPE.fullmatch(text)]
    expected = [signature_of(header.timestamp, body, secret).encode("ascii") for secret in secrets]
    return any([hmac.compare_digest(one, other) for one in expected for other in offered])  # noqa: C419 - no early exit


def signature_of(timestamp: int, body: bytes, secret: str) -> str:
    """Compute the `v1` signature: 64 lower-case hex digits of HMAC-SHA256 over `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def is_fresh(timestamp: int, now: int, tolerance: int) -> bool:
    """Tell whether a timestamp lies within the tolerance, in either direction; all in seconds."""
    return abs(now - timestamp) <= tolerance


def parse(body: bytes) -> StripeEvent:
    """Read a verified body as a snapshot event.

    Raises:
        RejectedError: NOT_AN_EVENT for anything else: `null`, a thin event, what is no JSON. Signed does not mean
            well-formed: the endpoint may be subscribed to something else.
    """
    try:
        return StripeEvent.model_validate(strict_json.parse(body))
    except ValueError:
        raise RejectedError(Cause.NOT_AN_EVENT) from None
