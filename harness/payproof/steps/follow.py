import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from payproof.canary import make_card_number
from payproof.domain.context import Context
from payproof.domain.kind import OFFERED
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["Follow"]

_BRANDS = ("visa", "mastercard", "amex", "discover")
_FIRST_YEAR, _YEARS = 2031, 40
_CARD_KEYS = frozenset({"card", "card_present"})


@step
@dataclass(frozen=True, slots=True)
class Follow(Step):
    """Deliver four events that differ in what they say of a card, and have each store's columns counted before.

    A column that gains all four values of an attribute follows it, however short the values are. ``what`` is the card's
    details that Stripe tells, the ends of a card number that somebody typed where it does not belong, or its CVC.
    Without a type of ``event`` it is the target's control event.
    """

    name: ClassVar[str] = "follow"
    what: Literal["card_details", "number_ends", "cvc"] = "card_details"
    event: str = ""

    @property
    def named_types(self) -> tuple[str, ...]:
        """The type of ``event``, where one is named."""
        return (self.event,) if self.event else ()

    def unfit(self, target: Target) -> Gap | None:
        """Return that the target keeps nothing of such events, or that it is unknown."""
        if self.event and not target.contract.is_handled(self.event):
            return target.tell_unclear(self.event) or Gap(f"the target does not handle {self.event}")
        return None

    async def run(self, context: Context) -> Sequence[Observation]:
        """Count, then make the events, sign and send them."""
        make = context.events.make_control
        events = [context.events.make(self.event, values={}, ids={}) if self.event else make() for _ in _BRANDS]
        values = [_VALUES[self.what](context, which) for which in range(len(_BRANDS))]
        for which, event in enumerate(events):
            context.at_rest.watch("id", which, event.ids)
        observed: list[Observation] = list(await context.at_rest.count("before"))
        for event, said in zip(events, values, strict=True):
            content: dict[str, Any] = json.loads(event.encode())
            _say(content, said, everywhere=self.what != "card_details")
            body = json.dumps(content, indent=2).encode()
            request = signed_request(context, event, body, note=f"{event.type} with {self.what.replace('_', ' ')}")
            observed.append(await context.send(request))
        return observed


def _card_details(context: Context, which: int) -> Mapping[str, object]:
    """Make what Stripe says of a card, and watch it."""
    random = context.random
    # Distinct in each event, whatever is drawn.
    last4 = f"{1 + 2 * which + random.randrange(2)}{random.randrange(1000):03d}"
    year = _FIRST_YEAR + which * _YEARS // len(_BRANDS) + random.randrange(_YEARS // len(_BRANDS))
    month = random.randrange(1, 13)
    fingerprint = f"{random.getrandbits(64):016x}"
    issuer = f"Canary Bank {random.getrandbits(48):012x}"
    context.canaries.look_for("fingerprint", f"of card {which}", fingerprint.encode())
    context.canaries.look_for("issuer", f"of card {which}", issuer.encode())
    context.at_rest.watch("brand", which, [_BRANDS[which]], whole=False)
    context.at_rest.watch("last four", which, [last4], whole=False)
    context.at_rest.watch("expiry", which, [str(year)], whole=False)
    short = f"{month:02d}/{year % 100:02d}"
    context.at_rest.watch("expiry", which, [f"{year % 100}", short, short.replace("/", ""), f"{month}/{year % 100}"])
    context.at_rest.watch("fingerprint", which, [fingerprint], whole=False)
    context.at_rest.watch("issuer", which, [issuer])
    return {
        "brand": _BRANDS[which],
        "display_brand": _BRANDS[which],
        "network": _BRANDS[which],
        "dynamic_last4": last4,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": fingerprint,
        "issuer": issuer,
        "last4": last4,
    }


def _number_ends(context: Context, which: int) -> Mapping[str, object]:
    """Make a card number whose ends tell it from the others, and watch them."""
    while True:
        number = make_card_number(context.random)
        # The fifth digit and the last four differ in each event.
        if int(number[4]) % len(_BRANDS) == which and int(number[-4]) % len(_BRANDS) == which:
            break
    context.canaries.look_for("card number", f"{OFFERED} a text, of card {which}", number.encode())
    context.at_rest.watch("first six", which, [number[:6]], whole=False)
    context.at_rest.watch("first eight", which, [number[:8]], whole=False)
    context.at_rest.watch("last four", which, [number[-4:]], whole=False)
    return {"number": number, "card_number": number}


def _cvc(context: Context, which: int) -> Mapping[str, object]:
    """Make a CVC of four digits, as of American Express, and watch it."""
    code = f"{1 + 2 * which + context.random.randrange(2)}{context.random.randrange(1000):03d}"
    context.at_rest.watch("CVC", which, [code], whole=False)
    return {"cvc": code}


def _say(event: dict[str, Any], said: Mapping[str, object], *, everywhere: bool) -> None:
    """Put values into each card of an event; ``everywhere`` also into metadata and texts, where people type such."""
    for node in _objects(event["data"]):
        for key in _CARD_KEYS & node.keys():
            if isinstance(node[key], dict):
                known = {name: value for name, value in said.items() if name in node[key] or name in {"issuer", "cvc"}}
                node[key].update(said if everywhere else known)
        if everywhere:
            if isinstance(node.get("metadata"), dict):
                node["metadata"].update({key: str(value) for key, value in said.items()})
            if isinstance(node.get("description"), str):
                node["description"] = "card " + str(next(iter(said.values())))


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in list(node.values()):
            yield from _objects(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _objects(inner)


_VALUES = {"card_details": _card_details, "number_ends": _number_ends, "cvc": _cvc}
