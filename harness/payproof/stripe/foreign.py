"""Events that are none of the target's own: of the other mode, or of another account."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Literal

from payproof.domain.context import Context
from payproof.domain.made_event import MadeEvent
from payproof.domain.request import Request
from payproof.domain.target import Target, Webhook
from payproof.domain.wants import Gap
from payproof.stripe.bodies import encode
from payproof.stripe.deliveries import request_of

__all__ = ["FOREIGN", "Foreign", "find_foreign_endpoint", "foreign_request", "make_foreign"]

#: What makes an event none of the target's own: its mode, or who stands in its ``account`` or ``context``.
Foreign = Literal["test_mode", "live_mode", "account", "context"]

#: The same, in words that go on behind an event.
FOREIGN: Mapping[Foreign, str] = {
    "test_mode": "of test mode",
    "live_mode": "of live mode",
    "account": "of another account",
    "context": "of another account by its context",
}
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def make_foreign(body: bytes, foreign: Foreign, random: Random) -> bytes:
    """Return the body of an event as one of the other mode, or of an account that the target has never heard of."""
    content = json.loads(body)
    if foreign == "account" or foreign == "context":  # noqa: PLR1714 (mypy narrows no membership)
        content[foreign] = "acct_1" + "".join(random.choices(_ALPHABET, k=15))
    else:
        _set_mode(content, live=foreign == "live_mode")
    return encode(content, "pretty")


def find_foreign_endpoint(target: Target, foreign: Foreign) -> tuple[Webhook | None, Gap | None]:
    """Return the endpoint to which Stripe sends such an event, or why it sends none.

    Events of others come to endpoints for Connect only, and events of test mode to those of live mode too. No event of
    live mode comes to an endpoint of test mode; that one compares both ways is good all the same.
    """
    connect = [one for one in (target.webhook, *target.endpoints.values()) if one.connect]
    if not connect:
        why = "to an endpoint that is not for Connect Stripe sends no events of another mode or account"
        return None, Gap(f"{why}: connect = true in [webhook] makes this one", ("[webhook] connect",))
    live = {"test_mode": True, "live_mode": False}.get(foreign)
    found = next((one for one in connect if live is None or one.livemode is live), None)
    if found is not None:
        return found, None
    if live:
        why = "the endpoint is one of test mode, as livemode of [webhook] says: events of test mode are its own"
        return None, Gap(why, ("[webhook] livemode",))
    return None, Gap("the endpoint is one of live mode: events of live mode are its own")


def _set_mode(node: Any, *, live: bool) -> None:
    if isinstance(node, dict) and isinstance(node.get("livemode"), bool):
        node["livemode"] = live
    values = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for value in values:
        _set_mode(value, live=live)


def foreign_request(context: Context, event: MadeEvent, foreign: Foreign, *, note: str) -> Request:
    """Return the request that delivers an event as one of somebody else, where such events come, and signed for there.

    Stripe does not know it: to the target's own account nothing of it exists.
    """
    webhook, _ = find_foreign_endpoint(context.target, foreign)
    assert webhook is not None, "a case whose steps do not fit is skipped"
    body = make_foreign(event.encode(), foreign, context.random)
    return request_of(context.at_webhook(webhook), event, body, note=f"{note}, {FOREIGN[foreign]}")
