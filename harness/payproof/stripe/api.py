"""One call to Stripe's API and its answer, as whoever answers for Stripe sees them."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from payproof.domain.documents import read_json
from payproof.stripe.form import decode

__all__ = ["ApiAnswer", "ApiRequest", "Backend", "Failing", "api_key", "error_body"]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A call as it arrived; header names are in lower case, ``query`` is without the question mark."""

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def form(self) -> str:
        """The parameters as they were sent: the query of a GET or DELETE, the body of a POST, or both."""
        return "&".join(part for part in (self.query, self.body.decode("utf-8", "surrogateescape")) if part)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters, nested; raises FormError where they are no form."""
        return decode(self.form)


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer as it is to leave.

    ``unknown`` marks a call that the backend does not know though Stripe may; ``ignored`` are parameters that it took
    without acting on them. Neither is told to the target, and both are told to whoever judges.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    unknown: bool = False
    ignored: tuple[str, ...] = ()

    def json(self) -> Any:
        """Return the body's JSON; raises ValueError where there is none."""
        return read_json(self.body)


@dataclass(frozen=True, slots=True)
class Failing:
    """What is to go wrong while the backend works: it takes so many seconds, and may end in an answer of ours."""

    seconds: float = 0.0
    answer: ApiAnswer | None = None


class Backend(Protocol):
    """What answers for Stripe behind the upstream."""

    name: str
    works_within: bool  # whether a fault can strike while it works

    async def answer(self, request: ApiRequest, failing: Failing) -> ApiAnswer:
        """Answer one call; raises BackendGoneError where the backend does not."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


def error_body(error: Mapping[str, Any]) -> bytes:
    """Return the body of an error as Stripe writes it."""
    return json.dumps({"error": dict(error)}, ensure_ascii=False, indent=2).encode()


def api_key(headers: Mapping[str, str]) -> str:
    """Return the API key of a call, by ``Bearer`` or as the user of ``Basic``; empty where there is none."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return value
        case "basic":
            try:
                return base64.b64decode(value, validate=True).decode().partition(":")[0]
            except ValueError:
                return ""
    return ""
