"""What can go wrong between the target and Stripe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from payproof.errors import ConfigurationError

__all__ = [
    "LONGEST",
    "Alteration",
    "Altered",
    "ConnectionFault",
    "Fault",
    "Moment",
    "Redirect",
    "Reply",
    "Reset",
    "Written",
]

#: The most seconds that a fault may take.
LONGEST = 120.0


class Moment(StrEnum):
    """When a fault strikes: before the backend is asked, while it works, or once it has done the work.

    A fault that strikes while the backend works becomes the result of the work, and is kept under the call's key.
    """

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Written:
    """An answer of ours, whole: a Stripe error, or what no API should say.

    ``error`` is the object under ``error``, in place of ``content``. ``headers`` come on top of the usual ones.
    """

    status: int
    error: Mapping[str, Any] | None = field(default=None, hash=False)
    content: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect to another host of ours, with ``downgrade`` by plain HTTP."""

    status: int = 307
    downgrade: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection ends without an answer, by a TCP reset."""


class Alteration(StrEnum):
    """How the backend's answer is spoiled on its way."""

    CUT = "cut"  # half of the JSON, with a Content-Length that says so
    TORN = "torn"  # half of the JSON, and then the connection ends
    TOO_LONG = "too_long"  # Content-Length is more than what follows
    TOO_SHORT = "too_short"  # Content-Length is less
    WRONG_TYPE = "wrong_type"  # the JSON as text/html
    SLOW = "slow"  # byte by byte

    @property
    def is_whole(self) -> bool:
        """Whether all of the answer gets through to whoever waits for it."""
        return self in {Alteration.WRONG_TYPE, Alteration.SLOW}


@dataclass(frozen=True, slots=True)
class Altered:
    """The backend's answer, spoiled; a slow body takes so many ``seconds``."""

    how: Alteration
    seconds: float = 0.0


Reply = Written | Redirect | Reset | Altered


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call: a delay at a moment, and then a reply in place of the backend's, or none.

    Raises:
        ConfigurationError: a delay that is negative or longer than LONGEST, or a reply that cannot be at that moment.
    """

    name: str
    moment: Moment = Moment.BEFORE
    reply: Reply | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        slow = self.reply.seconds if isinstance(self.reply, Altered) else 0.0
        if not 0 <= self.seconds + slow <= LONGEST:
            raise ConfigurationError(f"fault {self.name}: it takes from 0 to {LONGEST:g} seconds")
        if isinstance(self.reply, Altered) and self.moment is not Moment.AFTER:
            raise ConfigurationError(f"fault {self.name}: only an answer that there is can be altered", hint="after")
        if self.moment is Moment.DURING and not isinstance(self.reply, Written | None):
            raise ConfigurationError(f"fault {self.name}: the backend's work can only end in an answer or a delay")


class ConnectionFault(StrEnum):
    """What a connection may lack before the first call on it."""

    RESET = "reset"
    SELF_SIGNED = "self_signed"
    UNTRUSTED = "untrusted"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_HOST = "wrong_host"
    TLS_1_0 = "tls_1_0"
    TLS_1_1 = "tls_1_1"
    TLS_1_2 = "tls_1_2"
    TLS_1_3 = "tls_1_3"

    @property
    def is_version(self) -> bool:
        """Whether it offers one version of TLS and no other, with a good certificate."""
        return self.value.startswith("tls_")
