import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal
from urllib.parse import urlencode

from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.urls import with_query
from payproof.registry import step
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.forgery import SIGNATURE_HEADER
from payproof.stripe.offered_names import KNOWN, Names, learn_from_answers, learn_from_openapi
from payproof.stripe.signature import compose, hexdigest

__all__ = ["OfferSecret"]

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFLIGHT = (
    (b"Origin", b"https://payproof.example"),
    (b"Access-Control-Request-Method", b"POST"),
    (b"Access-Control-Request-Headers", b"content-type, stripe-signature, x-webhook-secret"),
)


@step
@dataclass(frozen=True, slots=True)
class OfferSecret(Step):
    """Deliver an event that is signed with a made-up secret, and offer the target that secret in the same request.

    ``place`` says where: in ``headers``, as a ``bearer`` token, in the ``query``, in ``cookies`` or in the ``body``.
    The names are those that integrations in public code read, and those that the target shows itself: in its OpenAPI
    document, and in its answers to a page of another origin and to a delivery that offers nothing.
    """

    name: ClassVar[str] = "offer_secret"
    reads_openapi: ClassVar[bool] = True
    place: Literal["headers", "bearer", "query", "cookies", "body"] = "headers"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Look at what the target shows, then make the event, sign it, and send it with the secret beside it."""
        secret = "whsec_" + "".join(context.random.choices(_BASE62, k=32))
        path = context.target.webhook.path
        asked = await context.send(Request("OPTIONS", path, _PREFLIGHT, b"", "asked as a page of another origin asks"))
        plain = await context.send(self._sign(context, secret, Names()))
        openapi = context.target.openapi
        names = KNOWN | learn_from_openapi((openapi.document if openapi is not None else None) or {})
        names |= learn_from_answers(one.answer for one in (asked, plain) if isinstance(one.answer, Answer))
        return [asked, plain, await context.send(self._sign(context, secret, names))]

    def _sign(self, context: Context, secret: str, names: Names) -> Request:
        """Return a delivery signed with a secret, which is offered under some names; without any it is not offered."""
        event = context.events.make_control()
        body, headers, path = event.encode(), [*STRIPE_HEADERS], context.target.webhook.path
        match self.place if names != Names() else "":
            case "headers":
                headers += [(name.encode(), secret.encode()) for name in names.headers]
            case "bearer":
                headers.append((b"Authorization", f"Bearer {secret}".encode()))
            case "query":
                path = with_query(path, urlencode(dict.fromkeys(names.query, secret)))
            case "cookies":
                headers.append((b"Cookie", "; ".join(f"{name}={secret}" for name in names.cookies).encode()))
            case "body":
                body = json.dumps({**json.loads(body), **dict.fromkeys(names.body, secret)}, indent=2).encode()
        now = context.clock.now()
        headers.append((SIGNATURE_HEADER, compose(now, [hexdigest(body, secret, now)]).encode()))
        note = f"{event.type} ({event.id}), signed with a made-up secret, which is offered in {self.place}"
        request = Request("POST", path, tuple(headers), body, note, ids=event.ids, variant=f"offered in {self.place}")
        return (
            request
            if names != Names()
            else replace(request, note=f"{event.type} ({event.id}), signed with another secret")
        )
