"""Names under which a request may offer a target a secret: known ones, and those that its documents and answers show.

Pure. A name is learnt where it sounds like a secret's: others would only get the request refused for other reasons.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payproof.domain.observation import Answer

__all__ = ["KNOWN", "Names", "learn_from_answers", "learn_from_openapi"]

_MOST = 40  # of one place, so that no limit of a server's for heads is met
_SOUNDS = re.compile(r"secret|token|sign|whsec|web-?_?hook|api-?_?key|auth-?_?key|endpoint-?_?key", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,63}")
#: Such a name in the text of a refusal, such as "missing header X-Shop-Webhook-Secret".
_IN_TEXT = re.compile(r"(?<![\w-])(?:[A-Za-z0-9]+[-_])+(?:secret|token|key|signature)(?![\w-])", re.IGNORECASE)
#: What has a meaning of its own, which a secret would break.
_TAKEN = frozenset({"authorization", "stripe-signature", "content-type", "content-length", "host", "x-csrf-token"})
_LISTING = frozenset({"access-control-allow-headers", "access-control-expose-headers", "vary", "x-required-headers"})


@dataclass(frozen=True, slots=True)
class Names:
    """Names by place."""

    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    body: tuple[str, ...] = ()

    def __or__(self, other: "Names") -> "Names":
        """Return the names of both, each once, at most as many as a server takes."""
        return Names(
            _unite(self.headers, other.headers),
            _unite(self.query, other.query),
            _unite(self.cookies, other.cookies),
            _unite(self.body, other.body),
        )


#: What integrations in public code read a secret from.
KNOWN = Names(
    headers=(
        "X-Djstripe-Webhook-Secret",  # dj-stripe: it is used before the configured secret (dj-stripe#1920)
        "Stripe-Webhook-Secret",
        "X-Stripe-Webhook-Secret",
        "X-Stripe-Secret",
        "X-Webhook-Secret",  # webhooks of n8n, Supabase and many others
        "X-Webhook-Token",
        "X-Webhook-Key",
        "X-Endpoint-Secret",
        "X-Signing-Secret",
        "X-Api-Key",  # falls back to it where there is no X-Webhook-Secret
        "X-Hook-Secret",  # the handshake of Asana, which asks to keep the secret that it offers
        "X-Gitlab-Token",
    ),
    query=(
        *("secret", "webhook_secret", "webhookSecret", "endpoint_secret", "signing_secret", "whsec"),
        *("token", "webhook_token", "key", "webhook_key", "stripe_webhook_secret", "sig_secret"),
    ),
    cookies=("secret", "webhook_secret"),
    body=("secret", "webhook_secret", "webhookSecret", "endpoint_secret", "signing_secret", "token", "key"),
)


def learn_from_openapi(document: Mapping[str, Any]) -> Names:
    """Return the names of parameters and API keys that an OpenAPI document tells of, and of properties of bodies."""
    found: dict[str, list[str]] = {"header": [], "query": [], "cookie": [], "body": []}
    for node in _objects(document):
        place, name = node.get("in"), node.get("name")
        if isinstance(place, str) and isinstance(name, str) and place in found:
            found[place].append(name)
        properties = node.get("properties")
        if isinstance(properties, dict):
            found["body"] += [one for one in properties if isinstance(one, str)]
    return Names(*(_choose(found[place]) for place in ("header", "query", "cookie", "body")))


def learn_from_answers(answers: Iterable[Answer]) -> Names:
    """Return the names that answers show: of headers, of headers that they let pages send, and in their text."""
    names: list[str] = []
    for answer in answers:
        for name, value in answer.headers:
            names += [name, *(re.split(r"[,\s]+", value) if name in _LISTING else [])]
        names += _IN_TEXT.findall(answer.body)
    chosen = _choose(names)
    return Names(headers=chosen, query=tuple(name for name in chosen if "-" not in name))


def _choose(names: Iterable[str]) -> tuple[str, ...]:
    sounding = (name for name in names if _NAME.fullmatch(name) and _SOUNDS.search(name))
    return tuple(dict.fromkeys(name for name in sounding if name.lower() not in _TAKEN))[:_MOST]


def _unite(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for name in (*some, *others):
        seen.setdefault(name.lower(), name)
    return tuple(seen.values())[:_MOST]


def _objects(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    left: list[Any] = [document]
    seen = set[int]()
    while left:
        node = left.pop()
        if id(node) in seen:
            continue  # YAML's anchors may make a value contain itself
        if isinstance(node, dict):
            seen.add(id(node))
            yield node
            left += node.values()
        elif isinstance(node, list):
            seen.add(id(node))
            left += node
