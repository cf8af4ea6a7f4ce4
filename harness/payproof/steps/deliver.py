import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal
from urllib.parse import urlencode

from payproof.domain.context import Context
from payproof.domain.observation import ABSENT, Answer, Exchange
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.urls import Shape, ShapeError, aliases, nowhere, shape_path, target_on_host, with_query
from payproof.domain.wants import Gap
from payproof.errors import ConfigurationError
from payproof.registry import step
from payproof.stripe.deliveries import CONNECT_TYPES, STRIPE_HEADERS
from payproof.stripe.forgeries import forge, forgery_named
from payproof.stripe.forgery import Delivery, Material
from payproof.stripe.signature import hexdigest

__all__ = ["Deliver", "digests_of"]

_DIGEST = re.compile(rb"=([0-9A-Za-z+/]{32,})")
_SIGNATURE = re.compile(rb"(?:^|,)v1=([0-9a-f]{64})(?=,|$)")
_TIMESTAMP = re.compile(rb"(?:^|,)t=([^,]+)")  # also what is none: it was signed as it stands
_MOST_DIGESTS = 8
_FAILURE = 500
_TEMPORARY_REDIRECTS = frozenset({307, 308})


def digests_of(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Yield the signature digests that headers hold, at most the last 8 of each: they must appear nowhere else.

    A text of digits is a timestamp, however long a forgery makes it, and may well appear elsewhere.
    """
    for _, value in headers:
        yield from (one for one in _DIGEST.findall(value)[-_MOST_DIGESTS:] if not one.isdigit())


def _right_digests(signed: Delivery, secret: Secret) -> Iterator[bytes]:
    """Yield what would have verified the body: whoever is shown it has a genuine signature for a forged body."""
    yield from _digests_under(signed, secret.reveal())


def _digests_under(signed: Delivery, secret: str) -> Iterator[bytes]:
    for _, value in signed.headers:
        for timestamp in _TIMESTAMP.findall(value):
            yield hexdigest(signed.body, secret, timestamp.decode("utf-8", "replace")).encode()


def _is_stripes_own(signed: Delivery, material: Material) -> bool:
    """Whether Stripe itself signed the body, whatever became of the header since: then Stripe knows the event."""
    secrets = (material.secret, material.previous_secret, material.retired_secret)
    right = {digest for secret in secrets if secret is not None for digest in _digests_under(signed, secret)}
    given = {digest for _, value in signed.headers for digest in _SIGNATURE.findall(value)}
    return signed.body == material.body and not right.isdisjoint(given)


@step
@dataclass(frozen=True, slots=True)
class Deliver(Step):
    """Deliver one event to the webhook route, signed or forged, as Stripe would send it.

    Without a type of ``event`` it is the target's control event, which is known to have an effect. ``signature`` names
    a way to sign or forge (``payproof.stripe.forgery``), ``body`` the form of the JSON, ``set`` values at dotted paths
    of the event's object. The event was made ``age`` seconds before. ``path`` varies how the webhook's path is written,
    ``alias`` is the name of a twin that somebody may have forgotten: each place that there may be of either gets the
    delivery. With ``follow`` one redirect that keeps the method is followed on the same host. Where such a place
    neither is absent nor rejects, the same goes to a place that no route has, to see whether the target answers every
    place so. Checks are ``shown`` the rows that it leaves where a scenario asks for them. Without ``known`` it is about
    somebody whom the target has never heard of.
    """

    name: ClassVar[str] = "deliver"
    event: str = ""
    signature: str = "valid"
    body: Literal["pretty", "compact", "spaced", "unicode", "escaped", "large"] = "pretty"
    path: Literal["webhook"] | Shape = "webhook"
    alias: str = ""
    follow: bool = False
    set: Mapping[str, object] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    age: int = 0
    shown: bool = False
    known: bool = True

    def __post_init__(self) -> None:
        """Refuse a signature that there is not, as soon as a scenario file is read."""
        try:
            forgery_named(self.signature)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None

    @property
    def named_types(self) -> tuple[str, ...]:
        """The type of ``event``, where one is named."""
        return (self.event,) if self.event else ()

    def unfit(self, target: Target) -> Gap | None:
        """Return why a target's path cannot be written so, or why it does not get the type, or that this is unknown."""
        try:
            self._places(target.webhook.path)
        except ShapeError as error:
            return Gap(str(error))
        if self.event in CONNECT_TYPES and not target.webhook.connect:
            why = f"{self.event} goes to endpoints for Connect only: connect = true in [webhook] makes this one"
            return Gap(why, ("[webhook] connect",))
        if self.age and target.subject.ids:
            return Gap("an old event about the subject of the target file is rightly ignored: its state is newer")
        return target.tell_unclear(self.event)

    @property
    def shows_rows(self) -> bool:
        """Those that a scenario asks for."""
        return self.shown

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event, sign or forge it, send it."""
        if forgery_named(self.signature).exact:
            await context.clock.wait_for_early_second()
        make = partial(context.events.make, self.event) if self.event else context.events.make_control
        event = make(values=self.set, ids=self.ids, age=self.age, of_stranger=not self.known)
        hook = context.target.webhook
        material = Material(
            body=event.encode(self.body),
            secret=hook.secret.reveal(),
            now=context.clock.now(),
            random=context.random,
            previous_secret=_text(hook.previous_secret),
            retired_secret=_text(hook.retired_secret),
            api_key=_text(context.target.api_key),
            publishable_key=context.target.publishable_key,
        )
        signed = forge(self.signature, material)
        if _is_stripes_own(signed, material):
            context.stripe.know(event)
        for digest in digests_of(signed.headers):
            context.canaries.conceal("signature", "Stripe-Signature", digest)
        for digest in _right_digests(signed, hook.secret):
            context.canaries.conceal("signature", "the right signature of what was sent", digest)
        exchanges: list[Exchange] = []
        for place in self._places(hook.path):
            request = Request(
                method="POST",
                target=with_query(place, urlencode(signed.query)),
                headers=(
                    *STRIPE_HEADERS,
                    *signed.headers,
                ),
                body=signed.body,
                note=f"{event.type} ({event.id}), signature {self.signature}, body {self.body}, path {place}",
                ids=event.ids,
                variant=self.signature,
                event=self.event,
            )
            exchanges.append(await context.send(request))
            if self.follow and (onward := _redirect(exchanges[-1])):
                exchanges.append(await context.send(_redirect_request(request, onward)))
            if place != hook.path and _is_taken_or_odd(context, exchanges[-1]):
                name = f"payproof-{context.random.getrandbits(32):08x}"
                elsewhere = with_query(nowhere(hook.path, place, name), urlencode(signed.query))
                note = f"{request.note}, but to a place that no route has"
                exchanges.append(await context.send(replace(request, target=elsewhere, note=note, role="nowhere")))
        return exchanges

    def _places(self, path: str) -> tuple[str, ...]:
        """Return where the delivery goes.

        Raises:
            ShapeError: the path cannot be written so.
        """
        if self.alias:
            return aliases(path, self.alias)
        return (path,) if self.path == "webhook" else shape_path(path, self.path)


def _text(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _is_taken_or_odd(context: Context, exchange: Exchange) -> bool:
    """Whether an answer neither says that there is no such place, nor rejects, nor fails, nor leads elsewhere."""
    answer = exchange.answer
    if not isinstance(answer, Answer) or answer.status >= _FAILURE:
        return False
    return answer.status not in ABSENT | _TEMPORARY_REDIRECTS | context.target.contract.rejected


def _redirect(exchange: Exchange) -> str | None:
    """Return the request target that a method-keeping redirect on the same host names."""
    answer = exchange.answer
    if not isinstance(answer, Answer) or answer.status not in _TEMPORARY_REDIRECTS:
        return None
    return target_on_host(exchange.sent.url, answer.header("location") or "")


def _redirect_request(request: Request, target: str) -> Request:
    return replace(request, target=target, note=request.note + ", redirected", role="moved")
