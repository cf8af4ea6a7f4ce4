from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.access import find_right
from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import order_operations
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.registry import step
from payproof.steps.operate_each import find_other_tenant, perform_as

__all__ = ["OTHERS", "PrepareEach"]

#: What the names of kept values begin with that are another tenant's.
OTHERS = "other:"


@step
@dataclass(frozen=True, slots=True)
class PrepareEach(Step):
    """Perform what must have been performed before any operation, and what gives an object of its own.

    What the answers hold is kept for the operations; of an ``other`` tenant apart from the own.
    """

    name: ClassVar[str] = "prepare_each"
    tenant: Literal["own", "other"] = "own"
    requests: int = 100
    seconds: float = 30.0

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Perform one after the other, while Stripe works as it should."""
        context.stripe.arm()
        target, exchanges = context.target, list[Exchange]()
        if self.tenant == "own":
            for one in _find_prerequisites(target, target.operations.values()):
                exchanges.append(await perform_as(context, one, None, context.kept))
            return exchanges
        other, kept = find_other_tenant(target), dict[str, str]()
        theirs = [one for one in target.operations.values() if other is not None and find_right(other, one)]
        for one in _find_prerequisites(target, theirs):
            exchanges.append(await perform_as(context, one, other, kept))
        context.kept.update({OTHERS + name: value for name, value in kept.items()})
        return exchanges


def _find_prerequisites(target: Target, operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Return the operations that others come after, or that keep something, in their order."""
    names = dict.fromkeys(name for one in operations for name in (*one.after, *([one.name] if one.keep else [])))
    return order_operations(target, names)
