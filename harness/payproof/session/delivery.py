"""Delivers one event to one URL: the user's own body or a made-up event, signed or forged with the user's secret."""

import asyncio
import time
from collections.abc import Mapping
from random import Random
from urllib.parse import urlencode, urlsplit

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger, make_canaries
from payproof.domain.observation import Exchange
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.target import LOOPBACK, Contract, Environment, Target, Webhook
from payproof.domain.urls import with_query
from payproof.errors import ConfigurationError
from payproof.session.event_factory import event_factory
from payproof.steps.deliver import digests_of
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.forgeries import forge
from payproof.stripe.forgery import Material

__all__ = ["deliver_once", "loose_target"]


def loose_target(url: str, *, secret: Secret, ca_file: str | None = None, answer_within: float = 10.0) -> Target:
    """Return a target that is one URL and nothing else.

    Raises:
        ConfigurationError: not an HTTPS URL, nor an HTTP one on a loopback host.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no URL", hint=str(error)) from None
    if not url.isprintable():
        raise ConfigurationError("the URL holds characters that cannot be printed", hint="copy it again")
    if "@" in parts.netloc:
        raise ConfigurationError("the URL holds a user name or password", hint="give the URL without them")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ConfigurationError(f"cannot send to {url!r}", hint="give an https:// URL, or http:// on a loopback host")
    return Target(
        name=parts.netloc,
        url=f"{parts.scheme}://{parts.netloc}",
        environment=Environment.LOCAL,
        webhook=Webhook(path=with_query(parts.path or "/", parts.query), secret=secret, api_version=""),
        ca_file=ca_file,
        contract=Contract(answer_within=answer_within),
    )


def deliver_once(
    url: str,
    *,
    secret: Secret,
    type_: str | None = None,
    body: bytes | None = None,
    values: Mapping[str, object],
    age: int = 0,
    signature: str = "valid",
    api_version: str | None = None,
    livemode: bool = False,
    seed: int | None = None,
    ca_file: str | None = None,
    answer_within: float = 10.0,
) -> Exchange:
    """Deliver a body as it is, or a made-up event of a type, to a URL, and return what was sent and answered.

    The event is ``age`` seconds old, as one is that comes late, and signed now.

    Raises:
        ConfigurationError: an unknown event type, API version, path or signature, or a URL that is not sent to.
    """
    target = loose_target(url, secret=secret, ca_file=ca_file, answer_within=answer_within)
    seed = time.time_ns() if seed is None else seed
    random = Random(seed)
    note = f"the given body, signature {signature}"
    if body is None:
        factory = event_factory(seed)
        event = factory.make(
            type_ or "",
            api_version=api_version or factory.versions()[-1],
            now=int(time.time()) - age,
            canaries=make_canaries(random),
            key="deliver",
            livemode=livemode,
            set=values,
        )
        body, note = (
            event.encode(),
            f"{event.type} ({event.id}), API version {event.api_version}, signature {signature}",
        )
    signed = forge(signature, Material(body=body, secret=secret.reveal(), now=int(time.time()), random=random))
    request = Request(
        method="POST",
        target=with_query(target.webhook.path, urlencode(signed.query)),
        headers=(*STRIPE_HEADERS, *signed.headers),
        body=signed.body,
        note=note,
    )
    ledger = Ledger()
    ledger.add("secret", secret.label, secret.reveal().encode(), lasting=True)
    for digest in digests_of(signed.headers):
        ledger.add("signature", "Stripe-Signature", digest)
    return asyncio.run(_send_once(target, ledger, request))


async def _send_once(target: Target, ledger: Ledger, request: Request) -> Exchange:
    sender = HttpSender(target, ledger)
    try:
        return await sender.send(request, 0)
    finally:
        await sender.close()
