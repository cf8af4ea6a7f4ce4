import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

from payproof.canary import make_card_number, make_iban
from payproof.domain.context import Context
from payproof.domain.made_event import MadeEvent
from payproof.domain.observation import Exchange
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import signed_request
from payproof.stripe.offers import INPUTS, Bait, bait_inputs

__all__ = ["Offer"]

_HEADERS = ("Authorization", "Cookie", "Referer", "User-Agent", "X-Forwarded-For", "X-Request-Id")
_TRACK = "=34081011234567890?"


@step
@dataclass(frozen=True, slots=True)
class Offer(Step):
    """Deliver genuine events that carry made-up payment data in every input of some sorts.

    ``event`` takes every input inside an event, in each type of event; ``request`` takes headers and the query of the
    webhook. Each input of each type has a card number of its own, so that one that is found says where it came from.
    """

    name: ClassVar[str] = "offer"
    through: Literal["event", "request"] = "event"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the events, put the payment data in, sign and send them."""
        if self.through == "request":
            return [await context.send(request) for request in _make_requests(context)]
        baits = {input_: _make_bait(context, input_) for input_ in INPUTS}
        exchanges = []
        for type_ in context.events.types:
            event = context.events.make(type_, values={}, ids={})
            content: dict[str, Any] = json.loads(event.encode())
            for input_, bait in baits.items():
                number = make_card_number(context.random)
                own = Bait(number, bait.track, bait.iban, bait.name, bait.secret)
                if bait_inputs(content, input_, own):
                    context.canaries.look_for(
                        "card number", f"offered in {_in_words(input_)} of {type_}", number.encode()
                    )
            exchanges.append(await context.send(_sign(context, event, json.dumps(content, indent=2).encode())))
        return exchanges


def _make_bait(context: Context, input_: str) -> Bait:
    """Make payment data for one sort of input, and register all of it but the number."""
    random, where = context.random, f"offered in {_in_words(input_)}"
    track = f";{make_card_number(random)}{_TRACK}"
    name = f"Ada Canary {random.getrandbits(48):012x}"
    secret = f"pi_{random.getrandbits(96):024x}_secret_{random.getrandbits(96):024x}"
    iban = make_iban(random)
    for kind, value in {"track data": track, "IBAN": iban, "name": name, "secret": secret}.items():
        context.canaries.look_for(kind, where, value.encode())
    # What leaves out the signs around it leaves the number.
    context.canaries.look_for("track data", where, track[1:].partition("=")[0].encode())
    return Bait("", track, iban, name, secret)


def _in_words(input_: str) -> str:
    return input_.replace("_", " ")


def _make_requests(context: Context) -> list[Request]:
    requests = []
    for name in _HEADERS:
        bait = _make_bait(context, f"header {name}")
        number = make_card_number(context.random)
        context.canaries.look_for("card number", f"offered in header {name}", number.encode())
        event = context.events.make_control()
        text = f"{number} {bait.iban} {bait.track} {bait.name} {bait.secret}"
        requests.append(_sign(context, event, event.encode(), headers=((name.encode(), text.encode()),)))
    bait = _make_bait(context, "query")
    number = make_card_number(context.random)
    context.canaries.look_for("card number", "offered in query", number.encode())
    event = context.events.make_control()
    query = urlencode({**bait.entries, "card_number": number})
    return [*requests, _sign(context, event, event.encode(), query=query)]


def _sign(
    context: Context, event: MadeEvent, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (), query: str = ""
) -> Request:
    return signed_request(context, event, body, headers=headers, query=query, note="payment data offered")
