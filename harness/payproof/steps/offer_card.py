import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from payproof.canary import make_card_number
from payproof.domain.context import Context
from payproof.domain.kind import OFFERED
from payproof.domain.observation import Exchange
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import make_request
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.urls import with_query
from payproof.domain.wants import Gap
from payproof.registry import step

__all__ = ["OfferCard"]

_JSON = (b"Content-Type", b"application/json")
Place = Literal["fields", "card", "cvc", "query", "path", "header", "webhook"]


@step
@dataclass(frozen=True, slots=True)
class OfferCard(Step):
    """Offer made-up card numbers to each operation, as who may ask for it, each in a place of its own.

    The ``place`` is each text of the body in turn, a ``card`` beside the others with number and CVC, a ``cvc`` alone,
    the ``query``, each id in the ``path``, or a ``header``. Or it is the body of a delivery to the ``webhook`` that
    nobody has signed.
    """

    name: ClassVar[str] = "offer_card"
    place: Place = "card"
    requests: int = 100

    def unfit(self, target: Target) -> Gap | None:
        """Return that no operation has such a place."""
        operations = target.operations.values()
        if self.place == "path" and operations and not any("{" in one.path for one in operations):
            return Gap("no operation of the target file has an id in its path")
        if self.place == "fields" and operations and not any(_texts(one) for one in operations):
            return Gap("no operation of the target file has a text in its body")
        return None

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Offer them."""
        if self.place == "webhook":
            body = json.dumps({"card": _make_card(context, f"{OFFERED} card details of the webhook")}).encode()
            request = Request("POST", context.target.webhook.path, (_JSON,), body, "a card, unsigned", variant="card")
            return [await context.send(request)]
        context.stripe.arm()
        return [
            await context.send(request)
            for operation in context.target.operations.values()
            for request in self._offers(context, operation)
        ]

    def _offers(self, context: Context, operation: Operation) -> Iterator[Request]:
        sound = make_request(context.target, operation, context.kept)
        asked = replace(sound, calls=operation.calls, ids=())
        body: dict[str, Any] = json.loads(sound.body) if sound.body else {}
        match self.place:
            case "fields":
                for name in _texts(operation):
                    number = _make_number(context, f"{OFFERED} {name} of {operation.name}")
                    yield _with_body(asked, {**body, name: number}, f"{operation.name}, a card number as {name}")
            case "card":
                card = _make_card(context, f"{OFFERED} card details of {operation.name}")
                yield _with_body(asked, {**body, "card": card}, f"{operation.name}, with a card")
                number = _make_number(context, f"{OFFERED} card details of {operation.name}")
                yield _with_body(asked, {**body, "card_number": number}, f"{operation.name}, with a card number")
            case "cvc":
                yield _with_body(asked, {**body, "cvc": "739"}, f"{operation.name}, with a CVC")
            case "query":
                number = _make_number(context, f"{OFFERED} the query of {operation.name}")
                told = f"{operation.name}, a card number in the query"
                yield replace(asked, target=with_query(asked.target, f"note={number}"), note=told, variant=told)
            case "header":
                number = _make_number(context, f"{OFFERED} a header of {operation.name}")
                told = f"{operation.name}, a card number in a header"
                headers = (*asked.headers, (b"X-Note", number.encode()))
                yield replace(asked, headers=headers, note=told, variant=told)
            case _:
                for name in context.kept:
                    if f"{{{name}}}" in operation.path:
                        number = _make_number(context, f"{OFFERED} the path of {operation.name}")
                        kept = {**context.kept, name: number}
                        told = f"{operation.name}, a card number in the path"
                        request = make_request(context.target, operation, kept)
                        yield replace(request, calls=operation.calls, ids=(), note=told, variant=told)


def _with_body(request: Request, body: dict[str, Any], told: str) -> Request:
    headers = request.headers if _JSON in request.headers else (*request.headers, _JSON)
    return replace(request, body=json.dumps(body).encode(), headers=headers, note=told, variant=told)


def _texts(operation: Operation) -> list[str]:
    return [name for name, value in (operation.body or {}).items() if isinstance(value, str)]


def _make_number(context: Context, label: str) -> str:
    number = make_card_number(context.random)
    context.canaries.look_for("card number", label, number.encode())
    return number


def _make_card(context: Context, label: str) -> dict[str, Any]:
    return {"number": _make_number(context, label), "exp_month": 12, "exp_year": 2040, "cvc": "739"}
