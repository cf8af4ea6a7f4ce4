"""Stripe's rules for idempotency keys, in memory, with faults on demand: the half of the twin that knows no billing."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.services.stripe.port import check_key

__all__ = ["Call", "Replay"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that arrived, whatever came of it; a read has no key."""

    operation: str
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next call comes to, before or after Stripe did what it asks for."""

    category: Category
    after_effect: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept under a key: what was asked, and the answer, which may be a decline."""

    operation: str
    params: tuple[object, ...]
    result: Any


class Replay:
    """Executes calls one at a time, and each key once; `calls` has all of them in order."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._faults: deque[Fault] = deque()
        self._stored: dict[str, Stored] = {}
        self._lock = threading.Lock()

    def fail_next(self, category: Category, *, times: int = 1, after_effect: bool = False) -> None:
        """Let the next calls fail: with `after_effect` only the answer is lost, and Stripe has done what was asked."""
        self._faults.extend([Fault(category, after_effect)] * times)

    def recover(self) -> None:
        """Let no further call fail."""
        self._faults.clear()

    def read(self, operation: str, find: Callable[[], Result]) -> Result:
        """Execute a read."""
        with self._lock:
            self.calls.append(Call(operation, None))
            if fault := self._next_fault():
                raise BillingError(fault.category)
            return find()

    def write(self, operation: str, key: str, params: tuple[object, ...], effect: Callable[[], Result]) -> Result:
        """Execute a write, or give again what its key gave before.

        The same key with other parameters is refused. Kept are results and declines, not what was refused before it
        began. Source: https://docs.stripe.com/api/idempotent_requests.
        """
        with self._lock:
            self.calls.append(Call(operation, check_key(key)))
            fault = self._next_fault()
            declined = fault is not None and fault.category is Category.CARD_DECLINED
            if fault and not fault.after_effect and not declined:
                raise BillingError(fault.category)
            if key not in self._stored:
                self._stored[key] = Stored(operation, params, None if declined else effect())
            stored = self._stored[key]
            if (stored.operation, stored.params) != (operation, params):
                raise BillingError(Category.INVALID_REQUEST)
            if stored.result is None:
                raise BillingError(Category.CARD_DECLINED)
            if fault and fault.after_effect:
                raise BillingError(fault.category)
            result: Result = stored.result
            return result

    def _next_fault(self) -> Fault | None:
        return self._faults.popleft() if self._faults else None
