"""Events that are none of the target's own: of the other mode, or of another account; pure."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Literal

from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.stripe.bodies import encode

__all__ = ["FOREIGN", "Foreign", "find_foreign_gap", "make_foreign"]

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


def find_foreign_gap(target: Target, foreign: Foreign) -> Gap | None:
    """Return why no such event comes to a target's endpoint, or nothing."""
    hook = target.webhook
    if not hook.connect:
        why = "to an endpoint that is not for Connect Stripe sends no events of another mode or account"
        return Gap(f"{why}: connect = true in [webhook] makes this one", ("[webhook] connect",))
    if foreign == "test_mode" and not hook.livemode:
        why = "the endpoint is one of test mode, as livemode of [webhook] says: events of test mode are its own"
        return Gap(why, ("[webhook] livemode",))
    if foreign == "live_mode" and hook.livemode:
        return Gap("the endpoint is one of live mode: events of live mode are its own")
    return None


def _set_mode(node: Any, *, live: bool) -> None:
    if isinstance(node, dict) and isinstance(node.get("livemode"), bool):
        node["livemode"] = live
    values = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for value in values:
        _set_mode(value, live=live)
