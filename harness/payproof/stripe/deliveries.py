"""Genuine deliveries of events: what Stripe sends beside the body, and the right signature."""

from dataclasses import replace

from payproof.domain.context import Context
from payproof.domain.made_event import MadeEvent
from payproof.domain.request import Request
from payproof.domain.urls import with_query
from payproof.stripe.forgery import SIGNATURE_HEADER
from payproof.stripe.signature import compose, hexdigest

__all__ = ["CONNECT_TYPES", "STRIPE_HEADERS", "request_of", "resigned_request", "signed_request"]

#: What Stripe's own deliveries carry beside the signature.
STRIPE_HEADERS = (
    (b"Content-Type", b"application/json; charset=utf-8"),
    (b"User-Agent", b"Stripe/1.0 (+https://stripe.com/docs/webhooks)"),
    (b"Accept", b"*/*; q=0.5, application/json"),
    (b"Cache-Control", b"no-cache"),
)

#: Types of events that Stripe sends about connected accounts, and so to endpoints for Connect only.
CONNECT_TYPES = frozenset(
    {
        "account.application.authorized",
        "account.application.deauthorized",
        "account.external_account.created",
        "account.external_account.deleted",
        "account.external_account.updated",
        "account.updated",
    }
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
    context.stripe.know(event)
    return request_of(context, event, body, note=note, headers=headers, query=query)


def request_of(
    context: Context,
    event: MadeEvent,
    body: bytes,
    *,
    note: str,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    query: str = "",
) -> Request:
    """Return the request that delivers a body as ``signed_request`` does, of an event that is none of this account's.

    So the target finds nothing of it at Stripe.
    """
    replaced = {name.lower() for name, _ in headers}
    return Request(
        method="POST",
        target=with_query(context.target.webhook.path, query),
        headers=(
            *(pair for pair in STRIPE_HEADERS if pair[0].lower() not in replaced),
            _sign_now(context, body),
            *headers,
        ),
        body=body,
        note=f"{note}: {event.id}",
        ids=event.ids,
        variant="valid",
    )


def resigned_request(context: Context, request: Request) -> Request:
    """Return a delivery as Stripe repeats it: the same event under a signature of now."""
    kept = (pair for pair in request.headers if pair[0] != SIGNATURE_HEADER)
    headers = (*kept, _sign_now(context, request.body))
    return replace(request, headers=headers, note=f"delivered again: {request.ids[0]}", variant="valid")


def _sign_now(context: Context, body: bytes) -> tuple[bytes, bytes]:
    now = context.clock.now()
    digest = hexdigest(body, context.target.webhook.secret.reveal(), now)
    context.canaries.conceal("signature", "Stripe-Signature", digest.encode())
    return SIGNATURE_HEADER, compose(now, [digest]).encode()
