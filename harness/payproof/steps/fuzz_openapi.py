import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation_requests import credential_headers, order_operations
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.urls import path_of
from payproof.domain.wants import Gap
from payproof.errors import InconclusiveError, Reason
from payproof.fuzzing.search import RequestSearch
from payproof.registry import step
from payproof.steps.prepare import perform_around

__all__ = ["FuzzOpenapi"]


@step
@dataclass(frozen=True, slots=True)
class FuzzOpenapi(Step):
    """Make requests up from the target's OpenAPI document, as its first principal, and plant canaries in them.

    ``kind`` is what is made up: requests as the document has them (``valid``), at its boundaries, against it
    (``invalid``), sequences of them in which one answer's ids are the next request's (``stateful``), or all of it
    without a credential (``anonymous``). At most ``examples`` for each operation, ``requests`` in all, in ``seconds``;
    each of them is multiplied by the budget's effort. Each operation that was asked must have let a request in, and
    again at the end; each one of the target file must have succeeded before, and must at the end. Who has no
    credential is let in nowhere.
    """

    name: ClassVar[str] = "fuzz_openapi"
    packages: ClassVar[tuple[str, ...]] = ("schemathesis",)
    kind: Literal["valid", "boundaries", "invalid", "stateful", "anonymous"] = "invalid"
    examples: int = 8
    requests: int = 240
    seconds: float = 30.0

    def unfit(self, target: Target) -> Gap | None:
        """Return that the document describes nothing but the webhook, which lets no made-up request in."""
        document = None if target.openapi is None else target.openapi.document
        paths = {} if document is None else document["paths"]
        if not paths or paths.keys() - _name_webhooks(target):
            return None
        return Gap("the OpenAPI document describes no route beside the webhook")

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Fuzz in a thread of its own, as schemathesis is synchronous."""
        from payproof.fuzzing.openapi import fuzz_openapi  # noqa: PLC0415 (of the extra `fuzz`)

        openapi = context.target.openapi
        document = None if openapi is None else openapi.document
        if document is None:
            raise InconclusiveError(Reason.PREPARATION_FAILED, "the OpenAPI document was not asked for")
        who = None if self.kind == "anonymous" else context.target.first_principal
        budget = context.target.budget
        search = RequestSearch(
            context, requests=budget.scale_requests(self.requests), seconds=budget.scale_seconds(self.seconds)
        )
        operations = () if who is None else order_operations(context.target, context.target.operations)

        async def fuzz() -> None:
            await asyncio.to_thread(
                fuzz_openapi,
                document,
                search,
                kind=self.kind,
                examples=max(1, round(self.examples * budget.effort)),
                headers=credential_headers(who),
            )
            if who is not None:
                # The control has shown the webhook.
                await search.confirm(but={f"POST {one}" for one in _name_webhooks(context.target)})

        return await perform_around(context, operations, search, fuzz)


def _name_webhooks(target: Target) -> set[str]:
    """Return the paths by which a document may name the webhooks: it may leave out the path of its server."""
    paths = [path_of(one) for one in target.webhook_paths]
    return {path[at:] for path in paths for at, one in enumerate(path) if one == "/" and (at == 0 or path[at:] != "/")}
