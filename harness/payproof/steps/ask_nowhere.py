from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.access_requests import Who, refused_actors
from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation_requests import credential_headers
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.urls import nowhere
from payproof.registry import step
from payproof.steps.operate_each import find_other_tenant

__all__ = ["AskNowhere"]


@step
@dataclass(frozen=True, slots=True)
class AskNowhere(Step):
    """Ask for a place that no route has, as the same who then ask for operations: what changes by that always does."""

    name: ClassVar[str] = "ask_nowhere"
    who: Who | Literal["other_tenant"] = "nobody"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask once as each of them."""
        if self.who == "other_tenant":
            other = find_other_tenant(context.target)
            asking = [("another tenant", credential_headers(other))]
        else:
            actors = refused_actors(context.target, self.who, context.random)
            asking = [(one.label, credential_headers(one.principal) + one.headers) for one in actors]
        return [await context.send(_ask_nowhere(context, *one)) for one in asking]


def _ask_nowhere(context: Context, label: str, headers: tuple[tuple[bytes, bytes], ...]) -> Request:
    name = f"payproof-{context.random.getrandbits(32):08x}"
    place = nowhere("/", "/payproof", name)
    return Request("GET", place, headers, b"", f"nothing that there is, as {label}", role="nowhere")
