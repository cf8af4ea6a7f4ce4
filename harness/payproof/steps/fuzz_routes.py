import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation_requests import credential_headers, order_operations
from payproof.domain.step import Step
from payproof.fuzzing.search import RequestSearch
from payproof.registry import step
from payproof.steps.prepare import perform_around

__all__ = ["FuzzRoutes"]


@step
@dataclass(frozen=True, slots=True)
class FuzzRoutes(Step):
    """Make requests up for every route that the target file names, as its first principal, and plant canaries in them.

    The routes are the webhook, the operations and ``routes``. ``kind`` is what is made up: bodies of every content
    type, compressed bodies, headers, methods and forms of the path, or HTTP that is malformed. At most ``examples`` for
    each route, ``requests`` in all, in ``seconds``; each of them is multiplied by the budget's effort. Each route must
    have let a request in, and again at the end; each operation must have succeeded before, and must at the end.
    """

    name: ClassVar[str] = "fuzz_routes"
    packages: ClassVar[tuple[str, ...]] = ("hypothesis",)
    kind: Literal["bodies", "encodings", "headers", "methods", "malformed"] = "bodies"
    examples: int = 15
    requests: int = 150
    seconds: float = 30.0

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Fuzz in a thread of its own, as hypothesis is synchronous."""
        from payproof.fuzzing.routes import fuzz_routes  # noqa: PLC0415 (of the extra `fuzz`)

        routes = context.target.listed
        budget = context.target.budget
        # A sound one for each route, and at least one that is made up.
        requests = max(budget.scale_requests(self.requests), 2 * len(routes))
        search = RequestSearch(context, requests=requests, seconds=budget.scale_seconds(self.seconds))
        operations = order_operations(context.target, context.target.operations)

        async def fuzz() -> None:
            await asyncio.to_thread(
                fuzz_routes,
                routes,
                search,
                kind=self.kind,
                examples=max(1, min(round(self.examples * budget.effort), requests // len(routes) - 1)),
                base=context.target.url,
                headers=credential_headers(context.target.first_principal),
            )
            await search.confirm(but={f"POST {one}" for one in context.target.webhook_paths})

        return await perform_around(context, operations, search, fuzz)
