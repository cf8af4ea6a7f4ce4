"""A call that the target made to Stripe, as the upstream saw it; sensitive values were replaced before it was made."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from payproof.domain.sensitive import Exposure

__all__ = ["KeyKind", "StripeCall", "StripeConnection"]


class KeyKind(StrEnum):
    """The sort of API key that a call carried; the key itself is kept nowhere."""

    NONE = "none"
    TEST = "test"
    LIVE = "live"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class StripeCall:
    """One call, with what it was answered.

    ``parameters`` are names in bracket notation, such as ``items[0][price]``, with their values, in the order of
    the call; ``digest`` is of all that was sent as parameters, so that two calls can be recognised as the same. Header
    names are in lower case. ``connection`` is the fault of the connection that carried the call, if it had one, and
    ``fault`` the one that the call met; ``spoiled`` says that the backend's answer did not get through as it
    was. ``backend_status`` is what the backend answered, ``status`` what the target
    was answered; None means not asked, and not answered (yet). ``replayed`` says that the backend gave a result
    again. ``elsewhere`` marks a call that followed a redirect. ``at`` and ``seconds`` are seconds since the upstream
    was opened, and until the answer had left. ``unknown`` marks a call that the backend does not offer, and ``ignored``
    are parameters that it took without effect: what follows from either is no proof of the target's behaviour.
    """

    number: int
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    digest: str
    key: KeyKind
    at: float
    idempotency_key: str | None = None
    api_version: str | None = None
    account: str | None = None
    secure: bool = False
    connection: str = ""
    elsewhere: bool = False
    unreadable: str = ""
    exposures: tuple[Exposure, ...] = ()
    fault: str = ""
    spoiled: bool = False
    status: int | None = None
    backend_status: int | None = None
    replayed: bool = False
    unknown: bool = False
    ignored: tuple[str, ...] = ()
    seconds: float | None = None

    def parameter(self, name: str) -> str | None:
        """Return the last value of a parameter, or None."""
        return next((value for key, value in reversed(self.parameters) if key == name), None)

    def is_one_of(self, pattern: str) -> bool:
        """Whether it is of a method and path, such as ``POST /v1/subscriptions/*``."""
        method, _, path = pattern.partition(" ")
        return self.method == method and fnmatchcase(self.path, path)


@dataclass(frozen=True, slots=True)
class StripeConnection:
    """A connection that came about otherwise than in good order: under a fault, or ended before its first call.

    ``failed`` tells in a few words why no TLS came about; empty where the target took the connection as it was.
    """

    number: int
    at: float
    secure: bool
    fault: str = ""
    failed: str = ""
