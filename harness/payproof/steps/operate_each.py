from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.access import Asking, find_right
from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation import Operation, Principal
from payproof.domain.operation_requests import make_request, order_operations
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.registry import step
from payproof.steps.prepare import read_kept

__all__ = ["OperateEach", "find_other_tenant", "perform_as"]


@step
@dataclass(frozen=True, slots=True)
class OperateEach(Step):
    """Perform every operation, each as who may, after what must have been performed before it.

    As an ``other`` tenant that is every operation that somebody of another tenant may do, with objects of their own.
    """

    name: ClassVar[str] = "operate_each"
    tenant: Literal["own", "other"] = "own"
    requests: int = 200
    seconds: float = 30.0

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Perform one after the other, while Stripe works as it should."""
        target, exchanges = context.target, list[Exchange]()
        if target.operations:
            context.stripe.arm()
        other = find_other_tenant(target) if self.tenant == "other" else None
        for operation in target.operations.values():
            if self.tenant == "other" and (other is None or not find_right(other, operation)):
                continue
            kept: dict[str, str] = {}
            for one in order_operations(target, [operation.name]):
                exchanges.append(await perform_as(context, one, other, kept))
        return exchanges


async def perform_as(context: Context, operation: Operation, who: Principal | None, kept: dict[str, str]) -> Exchange:
    """Perform an operation as somebody, or as who is named for it, and keep what later ones need of its answer.

    Raises:
        InconclusiveError: it did not succeed, or its answer does not hold what it should.
    """
    asked_by = who or operation.principal
    request = make_request(context.target, replace(operation, principal=asked_by), kept)
    label = "anybody" if asked_by is None else asked_by.name
    asking = Asking(operation.name, label, "allowed")
    exchange = await context.send(replace(request, calls=operation.calls, asking=asking))
    kept.update(read_kept(operation, exchange))
    return exchange


def find_other_tenant(target: Target) -> Principal | None:
    """Return somebody of another tenant than that of who is asked as, who may do an operation."""
    own = next((one.principal for one in target.operations.values() if one.principal is not None), None)
    if own is None or not own.tenant:
        return None
    others = (one for one in target.principals.values() if one.tenant and one.tenant != own.tenant)
    return next((one for one in others if any(find_right(one, op) for op in target.operations.values())), None)
