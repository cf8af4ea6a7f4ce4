"""A request to the target, as steps make it and the client sends it."""

from dataclasses import dataclass, field

from payproof.domain.access import Asking
from payproof.domain.observation import Role

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the target, byte for byte.

    ``target`` is the request target (path and query) as it goes on the wire; ``ids`` are the made-up Stripe ids that
    it carries, by which its effects are recognised; ``note`` tells a reader what is sent, ``variant`` names the
    way in which it is signed or forged, or the fault that is to strike. ``calls`` is the call to Stripe that it causes,
    and ``within`` how many seconds its answer may take, if not the contract's for deliveries. ``wire`` is the whole
    request as it goes on the wire, where that is malformed on purpose; nothing else of it is then sent. ``example``
    is a command that sends a made-up request again. ``role`` stands in the record beside what was sent. ``event`` is
    the type of event that the scenario names: what the target promises of it decides whether it must have an effect.
    One that is to be sent ``once`` is never repeated, nor sent where the target may be closing the connection.
    ``asking`` stands in the record beside what was sent. ``origin`` is this machine's address that it is sent from.
    """

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    note: str
    ids: tuple[str, ...] = ()
    variant: str = ""
    calls: str = ""
    within: float | None = None
    wire: bytes = field(default=b"", repr=False)
    example: str = field(default="", repr=False)
    role: Role = ""
    event: str = ""
    once: bool = False
    asking: Asking | None = None
    origin: str = ""
