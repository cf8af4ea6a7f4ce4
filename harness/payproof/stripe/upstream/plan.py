"""Which call meets which fault."""

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from payproof.errors import ConfigurationError
from payproof.stripe.upstream.faults import ConnectionFault, Fault, Moment

__all__ = ["Plan", "PlanProgress", "Rule"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Rule:
    """Faults for the calls of a method and path, one after another; None lets a call through.

    ``path`` may hold ``*`` for any part. The first ``after`` calls are let through. After the last fault all is
    normal, or with ``lasting`` the last one strikes for ever.

    Raises:
        ConfigurationError: a path that is none of the API's, no fault, or a negative ``after``.
    """

    faults: tuple[Fault | None, ...]
    method: str = "*"
    path: str = "*"
    after: int = 0
    lasting: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule that no call could meet."""
        if not self.path.startswith(("/", "*")):
            raise ConfigurationError(f"path {self.path!r}: begins with /, such as /v1/customers/*")
        if not self.faults:
            raise ConfigurationError(f"{self.method} {self.path}: a rule needs at least one fault")
        if self.after < 0:
            raise ConfigurationError(f"{self.method} {self.path}: after: not less than 0")

    def matches(self, method: str, path: str) -> bool:
        """Whether a call is one of the rule's."""
        return self.method in {"*", method} and fnmatchcase(path, self.path)

    def fault(self, earlier: int) -> Fault | None:
        """Return what the next call meets, after so many earlier ones of the rule."""
        return _nth(self.faults, earlier - self.after, lasting=self.lasting)


@dataclass(frozen=True, slots=True)
class Plan:
    """The faults of calls, and of the connections from now on; ``lasting`` repeats the last connection's for ever.

    Each rule that a call matches counts it, and the first one that has a fault for it decides.
    """

    rules: tuple[Rule, ...] = ()
    connections: tuple[ConnectionFault | None, ...] = ()
    lasting: bool = False

    @property
    def works_within(self) -> bool:
        """Whether a fault strikes within the backend, which not every backend lets it."""
        return any(fault.moment is Moment.DURING for rule in self.rules for fault in rule.faults if fault)


class PlanProgress:
    """How far a plan has come."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._calls: Counter[int] = Counter()
        self._connections = 0

    def next_call(self, method: str, path: str) -> Fault | None:
        """Count a call, and return the fault that it meets."""
        chosen: Fault | None = None
        for number, rule in enumerate(self.plan.rules):
            if rule.matches(method, path):
                chosen = chosen or rule.fault(self._calls[number])
                self._calls[number] += 1
        return chosen

    def next_connection(self, *, secure: bool) -> ConnectionFault | None:
        """Count a connection, and return what it lacks; one by plain HTTP does not count where TLS is to lack it."""
        fault = _nth(self.plan.connections, self._connections, lasting=self.plan.lasting)
        if not secure and fault not in {None, ConnectionFault.RESET}:
            return None
        self._connections += 1
        return fault


def _nth(items: tuple[Item | None, ...], place: int, *, lasting: bool) -> Item | None:
    if place < 0 or not items:
        return None
    if place < len(items):
        return items[place]
    return items[-1] if lasting else None
