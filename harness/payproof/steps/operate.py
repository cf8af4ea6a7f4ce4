from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation import Operation, Trouble
from payproof.domain.operation_requests import make_request
from payproof.domain.step import Step
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step

__all__ = ["Operate"]


@step
@dataclass(frozen=True, slots=True)
class Operate(Step):
    """Perform an operation of the target's, once for each of ``faults`` in turn, or without any while Stripe works.

    ``operation`` is a name of ``[operations]`` in the target file, or a kind of them (``charging``, ``writing``). A
    fault strikes the call to Stripe that the operation is known to cause: ``times`` of them, or with ``lasting`` all,
    after the first ``after``. The last one stays until the next step that operates, prepares or recovers.
    """

    name: ClassVar[str] = "operate"
    operation: str = "writing"
    faults: tuple[str, ...] = ()
    times: int = 1
    lasting: bool = False
    after: int = 0
    moment: Literal["before", "after"] = "before"
    retry_after: int | None = None
    should_retry: bool | None = None

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Arm each fault, then ask."""
        operation = context.target.operation(self.operation)
        if operation is None:
            detail = f"the target file describes no operation {self.operation!r}"
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        exchanges = []
        for fault in self.faults or ("",):
            context.stripe.arm(*self._troubles(fault, operation))
            request = make_request(context.target, operation, context.kept)
            note = f"{request.note}, while Stripe's answer is {fault}" if fault else request.note
            exchanges.append(await context.send(replace(request, note=note, variant=fault, calls=operation.calls)))
        return exchanges

    def _troubles(self, fault: str, operation: Operation) -> Iterator[Trouble]:
        if fault:
            yield Trouble(
                fault,
                operation.calls,
                times=None if self.lasting else self.times,
                after=self.after,
                moment=self.moment,
                retry_after=self.retry_after,
                should_retry=self.should_retry,
            )
