"""Genuine deliveries of events: what Stripe sends beside the body, and the right signature."""

from payproof.domain.context import Context
from payproof.domain.made_event import MadeEvent
from payproof.domain.request import Request
from payproof.domain.urls import with_query
from payproof.stripe.forgery import SIGNATURE_HEADER
from payproof.stripe.signature import compose, hexdigest

__all__ = ["STRIPE_HEADERS", "signed_request"]

#: What Stripe's own deliveries carry beside the signature.
STRIPE_HEADERS = (
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"User-Agent", b"Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
    (b"Accept", b"*/*; q=0.5, application/json"),
    (b"Cache-Control", b"no-cache"),
)


def signed_request(
    context: Context,
    event: MadeEvent,
    body: bytes,
    *,
    note: str,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    query: str = "",
) -> Request:
    """Return the request that delivers a body as Stripe would, signed now; Stripe knows the event from then on.

    ``headers`` stand in place of Stripe's own of the same names.
    """
    hook, now = context.target.webhook, context.clock.now()
    digest = hexdigest(body, hook.secret.reveal(), now)
    context.canaries.conceal("signature", "Stripe-Signature", digest.encode())
    context.stripe.know(event)
    replaced = {name.lower() for name, _ in headers}
    return Request(
        method="POST",
        target=with_query(hook.path, query),
        headers=(
            *(pair for pair in STRIPE_HEADERS if pair[0].lower() not in replaced),
            (SIGNATURE_HEADER, compose(now, [digest]).encode()),
            *headers,
        ),
        body=body,
        note=f"{note}: {event.id}",
        ids=event.ids,
        variant="valid",
    )
