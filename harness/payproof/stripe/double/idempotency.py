"""Stripe's rules for idempotency keys.

A key names one POST. Its first result is kept for 24 hours, whatever it is, once execution has begun: a decline and a
500 too, but not what was refused before. Source: https://docs.stripe.com/api/idempotent_requests.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from payproof.stripe.api import ApiAnswer, ApiRequest
from payproof.stripe.double.errors import ApiError

__all__ = ["KEPT_SECONDS", "Keys"]

KEPT_SECONDS = 24 * 3600
_LONGEST = 255
_MOST = 100_000


@dataclass(slots=True)
class _KeyedRequest:
    digest: bytes
    path: str
    since: float
    answer: ApiAnswer | None = None


class Keys:
    """The keys of one account; ``clock`` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, _KeyedRequest] = {}

    def begin(self, key: str, request: ApiRequest) -> ApiAnswer | None:
        """Return what the key gave before, or None and hold the key until ``finish`` or ``forget``.

        Raises:
            ApiError: the key is in use now, was used for another call, or is too long.
        """
        if len(key) > _LONGEST:
            raise ApiError(
                400, "invalid_request_error", f"Idempotency keys may be at most {_LONGEST} characters", began=False
            )
        self._drop_old()
        digest = _digest(request)
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = _KeyedRequest(digest, request.path, self._clock())
            return None
        if (entry.digest, entry.path) != (digest, request.path):
            what = "parameters" if entry.path == request.path else f"endpoint ({entry.path})"
            message = (
                f"Keys for idempotent requests can only be used with the same {what} they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise ApiError(400, "idempotency_error", message, began=False)
        if entry.answer is None:
            message = (
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again later."
            )
            raise ApiError(409, "idempotency_error", message, code="idempotency_key_in_use", began=False)
        return entry.answer

    def finish(self, key: str, answer: ApiAnswer) -> None:
        """Keep the result of a key."""
        self._entries[key].answer = answer

    def forget(self, key: str) -> None:
        """Let go of a key whose call did not begin to be executed."""
        del self._entries[key]

    def _drop_old(self) -> None:
        """Drop what is too old, and the oldest where there are too many; entries stand in the order of their age."""
        limit = self._clock() - KEPT_SECONDS
        while self._entries:
            key, oldest = next(iter(self._entries.items()))
            if oldest.since > limit and len(self._entries) < _MOST:
                return
            del self._entries[key]


def _digest(request: ApiRequest) -> bytes:
    """Return a digest of the parameters, in which neither their order nor the way of encoding them counts."""
    text = json.dumps(request.parameters(), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
