"""Who may do what: the rights of principals, and what a target promises of those who ask without any."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from payproof.domain.operation import Operation, Principal

__all__ = ["AccessContract", "Asking", "Lockout", "Promise", "find_right", "is_claimed_by"]

#: What is promised to who asks: it is done, or it is refused as to a stranger, to a lower role, to another tenant. By
#: another form of the path it may be absent too.
Promise = Literal["allowed", "unknown", "forbidden", "foreign", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for which operation or route, and what is promised of that."""

    operation: str
    actor: str
    promise: Promise


@dataclass(frozen=True, slots=True)
class AccessContract:
    """The statuses by which a target refuses who is not ``unknown`` to it, is ``forbidden`` to ask, or ``foreign``.

    Without statuses any of 400 to 499 will do, and a redirect, as to a page for signing in.
    """

    unknown: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()
    foreign: frozenset[int] = frozenset()

    def statuses(self, promise: Promise) -> frozenset[int]:
        """Return those of a promise."""
        return {"unknown": self.unknown, "forbidden": self.forbidden, "foreign": self.foreign}.get(promise, frozenset())


@dataclass(frozen=True, slots=True)
class Lockout:
    """What a target promises of who guesses: after ``attempts`` wrong credentials it is locked for ``seconds``.

    ``principal`` is the name of whose credential is guessed, and who is locked out then. ``method`` and ``path`` are
    asked with the credential, in its header or, where ``body`` has ``{credential}``, there. ``elsewhere`` is what
    becomes of the right credential from another address, where that is promised.
    """

    principal: str
    method: str
    path: str
    attempts: int = 10
    seconds: float = 1800.0
    body: dict[str, Any] | None = field(default=None, hash=False)
    elsewhere: Literal["", "works", "locked"] = ""


def find_right(principal: Principal, operation: Operation) -> bool | None:
    """Return whether somebody may do an operation with what is theirs; None where the target file does not say it."""
    if principal.expired:
        return False
    if operation.principal is None or operation.principal.name == principal.name:
        return True
    return None if principal.may is None else is_claimed_by(principal.may, operation.name)


def is_claimed_by(may: tuple[str, ...], operation: str) -> bool:
    """Whether a list of rights, with ``*`` for any text, holds an operation."""
    return any(fnmatchcase(operation, one) for one in may)
