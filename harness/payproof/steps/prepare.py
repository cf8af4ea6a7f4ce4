from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.documents import read_json
from payproof.domain.json_path import reach
from payproof.domain.observation import Answer, Exchange
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import make_request, order_operations
from payproof.domain.step import Step
from payproof.errors import InconclusiveError, Reason
from payproof.fuzzing.search import RequestSearch
from payproof.registry import step

__all__ = ["Prepare", "perform", "perform_around", "read_kept"]

_SUCCESS = range(200, 300)


@step
@dataclass(frozen=True, slots=True)
class Prepare(Step):
    """Perform what must have been performed before an operation, such as the creation of the customer who pays.

    None of it is judged. What its answers hold, such as the customer's id, is kept for the operation.
    """

    name: ClassVar[str] = "prepare"
    operation: str = "writing"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Perform it, while Stripe works as it should."""
        context.stripe.arm()
        wanted = context.target.operation(self.operation)
        return await perform(context, order_operations(context.target, wanted.after) if wanted is not None else ())


async def perform(context: Context, operations: Iterable[Operation]) -> Sequence[Exchange]:
    """Perform operations one after the other, each of which has to succeed; keep what later ones need.

    Raises:
        InconclusiveError: one did not succeed, or its answer does not hold what it should.
    """
    exchanges = []
    for operation in operations:
        exchange = await context.send(make_request(context.target, operation, context.kept))
        exchanges.append(exchange)
        context.kept.update(read_kept(operation, exchange))
    return exchanges


async def perform_around(
    context: Context, operations: Sequence[Operation], search: RequestSearch, fuzz: Callable[[], Awaitable[None]]
) -> Sequence[Exchange]:
    """Perform operations before a search and, where it found nothing, after it; return all exchanges, theirs first.

    Raises:
        InconclusiveError: an operation did not succeed, or the search says so.
    """
    done = [*await perform(context, operations)]
    try:
        await fuzz()
        if not search.found and not search.fell_silent:
            context.kept.clear()
            done += await perform(context, operations)
    finally:
        search.settle()
    return (*done, *search.exchanges)


def read_kept(operation: Operation, exchange: Exchange) -> dict[str, str]:
    """Return what later operations need of an answer.

    Raises:
        InconclusiveError: the operation did not succeed, or its answer does not hold what it should.
    """
    answer = exchange.answer
    if not isinstance(answer, Answer):
        raise InconclusiveError(answer.reason, f"operation {operation.name}: {answer.detail}")
    if answer.status not in _SUCCESS:
        detail = f"operation {operation.name} was answered {answer.status} while Stripe was working"
        raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
    try:
        content = read_json(answer.body)
    except ValueError:
        content = None
    kept = {}
    for name, place in operation.keep.items():
        found = reach(content, place)
        if not isinstance(found, str | int) or found == "":
            detail = f"the answer to operation {operation.name} has no {place!r}, which is to be kept as {name!r}"
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        kept[name] = str(found)
    return kept
