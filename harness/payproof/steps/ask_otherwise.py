from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal
from urllib.parse import urlencode

from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.urls import with_query
from payproof.registry import step
from payproof.stripe.deliveries import STRIPE_HEADERS, signed_request

__all__ = ["AskOtherwise"]

_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
_TYPES = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/xml",
    "application/octet-stream", "",
)  # fmt: skip


@step
@dataclass(frozen=True, slots=True)
class AskOtherwise(Step):
    """Ask the webhook's place otherwise than Stripe does.

    By other ``methods`` than POST, with an event that nobody has signed in the body and in the query; by ``trace``,
    with a header that must not come back; or by POST as another content type, ``forged`` or ``signed``.
    """

    name: ClassVar[str] = "ask_otherwise"
    by: Literal["methods", "trace", "forged", "signed"] = "methods"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask."""
        if self.by == "trace":
            return [await _trace(context)]
        return [await context.send(request) for request in self._requests(context)]

    def _requests(self, context: Context) -> Iterator[Request]:
        path = context.target.webhook.path
        for method in _METHODS if self.by == "methods" else ():
            event = context.events.make_control()
            body = b"" if method in {"GET", "HEAD", "OPTIONS"} else event.encode()
            # Without what is personal in it: that an error says a query back is another rule's.
            query = urlencode({"id": event.id, "type": event.type, "object": "event"})
            target = with_query(path, query) if method == "GET" else path
            told = f"{method}, an event that nobody has signed"
            yield Request(method, target, STRIPE_HEADERS, body, told, ids=event.ids, variant=method)
        for type_ in _TYPES if self.by in {"forged", "signed"} else ():
            event = context.events.make_control()
            name, told = b"Content-Type", type_ or "no content type"
            headers = ((name, type_.encode()),) if type_ else ()
            if self.by == "signed":
                request = signed_request(context, event, event.encode(), note=told, headers=((name, b""),))
                others = tuple(pair for pair in request.headers if pair[0] != name)
                yield replace(request, headers=(*others, *headers), variant=f"signed, {told}")
            else:
                others = tuple(pair for pair in STRIPE_HEADERS if pair[0] != name)
                note = f"an event that nobody has signed, {told}"
                yield Request("POST", path, (*others, *headers), event.encode(), note, ids=event.ids, variant=told)


async def _trace(context: Context) -> Exchange:
    """Send a request by TRACE, and note where its own header comes back."""
    mark = f"payproof{context.random.getrandbits(64):016x}"
    headers = (*STRIPE_HEADERS, (b"X-Payproof", mark.encode()))
    request = Request("TRACE", context.target.webhook.path, headers, b"", "TRACE, with a header of its own")
    exchange = await context.send(replace(request, variant="TRACE"))
    if isinstance(exchange.answer, Answer) and mark in exchange.answer.body:
        return replace(exchange, answer=replace(exchange.answer, echoes=("body",)))
    return exchange
