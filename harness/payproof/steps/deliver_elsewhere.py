from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import REDIRECTS, Answer, Exchange
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.urls import quote_path, target_on_host
from payproof.registry import step
from payproof.steps.deliver import Deliver
from payproof.stripe.addresses import list_beside, list_known, list_queries

__all__ = ["DeliverElsewhere"]

Kind = Literal["known", "beside", "query"]

_PLACES: Mapping[Kind, Callable[[Target], tuple[str, ...]]] = {
    "known": list_known,
    "beside": list_beside,
    "query": list_queries,
}
_MOST = 150


@step
@dataclass(frozen=True, slots=True)
class DeliverElsewhere(Step):
    """Deliver an event to every other place at which the target may take some, not signed or forged.

    ``kind`` says which places: those that are ``known``, as the target file or its OpenAPI document lists a route that
    looks like a webhook, or as other integrations have theirs there; those ``beside`` the webhook, with and without
    slash; or the webhook's own with another ``query``. Where one answers with a redirect on the same host, the place
    that it names gets the delivery too, whatever a client would make of it.
    """

    name: ClassVar[str] = "deliver_elsewhere"
    reads_openapi: ClassVar[bool] = True
    kind: Kind = "known"
    signature: str = "missing.no_header"
    requests: int = 2 * _MOST

    def __post_init__(self) -> None:
        """Refuse a signature that there is not, as soon as a scenario file is read."""
        Deliver(signature=self.signature)

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make an event for each place, sign or forge it, send it."""
        deliver, exchanges = Deliver(signature=self.signature), list[Exchange]()
        left = [*_PLACES[self.kind](context.target)][:_MOST]
        tried = {context.target.webhook.path}
        while left:
            place = left.pop(0)
            if place in tried:
                continue
            tried.add(place)
            for exchange in await deliver.run(context.at_path(place)):
                exchanges.append(exchange)
                if (onward := _moved_to(exchange)) is not None and len(tried) < _MOST:
                    left.append(onward)
        return exchanges


def _moved_to(exchange: Exchange) -> str | None:
    """Return the place on the same host that a redirect names."""
    answer = exchange.answer
    if not isinstance(answer, Answer) or answer.status not in REDIRECTS:
        return None
    there = target_on_host(exchange.sent.url, answer.header("location") or "")
    return None if there is None else quote_path(there)
