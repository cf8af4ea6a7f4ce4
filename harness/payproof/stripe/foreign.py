"""Events that are none of the target's own: of the other mode, or of another account; pure."""

import json
from collections.abc import Mapping
from random import Random
from typing import Any, Literal

from payproof.stripe.bodies import encode

__all__ = ["Foreign", "make_foreign"]

#: What makes an event one of somebody else: its ``livemode``, or who is named in its ``account`` or its ``context``.
Foreign = Literal["mode", "account", "context"]

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def make_foreign(body: bytes, foreign: Foreign, random: Random) -> bytes:
    """Return the body of an event as one of the other mode, or of an account that the target has never heard of."""
    content = json.loads(body)
    if foreign == "mode":
        _turn_mode(content)
    else:
        content[foreign] = "acct_1" + "".join(random.choices(_ALPHABET, k=15))
    return encode(content, "pretty")


def _turn_mode(node: Any) -> None:
    if isinstance(node, dict) and isinstance(node.get("livemode"), bool):
        node["livemode"] = not node["livemode"]
    values = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for value in values:
        _turn_mode(value)
