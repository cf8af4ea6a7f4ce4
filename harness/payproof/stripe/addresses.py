"""Where a target may take Stripe's events beside the place that its file names; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from payproof.domain.target import Target
from payproof.domain.urls import ShapeError, path_of, shape_path, with_query
from payproof.stripe.routes import CUSTOMARY_PATHS

__all__ = ["list_beside", "list_known", "list_queries"]

#: Where integrations have theirs beside the customary paths: Laravel Cashier, dj-stripe, the Ruby gem `pay`,
#: better-auth, Medusa, WooCommerce, and what guides of frameworks show.
_USUAL = (
    *CUSTOMARY_PATHS,
    *("/stripe", "/stripe/events", "/stripe/webhook/", "/stripe-webhook", "/stripe_webhook", "/stripe_webhooks"),
    *("/webhooks/stripe/", "/hooks/stripe", "/api/webhooks", "/api/stripe-webhook", "/api/auth/stripe/webhook"),
    *("/billing/webhooks", "/payment/webhook", "/pay/webhooks/stripe", "/hooks/payment/stripe_stripe"),
    *("/wc-api/wc_stripe/", "/?wc-api=wc_stripe"),
)
#: What a route is called that takes what others report.
_LOOKS = re.compile(r"hook|stripe|callback|notif|ipn(?![a-z])|event|listener", re.IGNORECASE)
_HOLE = re.compile(r"\{[^}/]*\}|:[A-Za-z_]\w*|<[^>/]*>")
#: Switches of those who try out their own webhook.
_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "test": ("1", "true"),
    "debug": ("1", "true"),
    "dev": ("1",),
    "local": ("true",),
    "mode": ("test",),
    "env": ("test",),
    "livemode": ("false",),
    "dry_run": ("1",),
    "unsigned": ("1",),
    "skip_signature": ("1",),
    "skip_verification": ("1", "true"),
    "verify": ("0", "false"),
    "retry": ("1",),
    "replay": ("1",),
}
#: What stands in the query where that says which of several handlers is meant.
_HANDLERS = ("stripe", "webhook", "stripe_webhook", "stripe-webhook", "stripe_webhook_test", "test", "ipn", "notify")


def list_known(target: Target) -> tuple[str, ...]:
    """Return each place that may be a webhook, by the target file, by the OpenAPI document, or as others have it."""
    listed = [path for method, path in target.listed if method == "POST" and _LOOKS.search(path)]
    document = target.openapi.document if target.openapi is not None else None
    listed += [path for path in _post_paths(document or {}) if _LOOKS.search(path)]
    filled = (_HOLE.sub("payproof", path) for path in listed)
    return _without_own(target, (*filled, *_USUAL))


def list_beside(target: Target) -> tuple[str, ...]:
    """Return places that lead to the webhook or lie around it: with and without slash, and the folders above it."""
    path = target.webhook.path
    places: list[str] = []
    with suppress(ShapeError):
        places += shape_path(path, "trailing_slash")
    bare = path_of(path).strip("/").split("/")
    places += ["/" + "/".join(bare[:length]) for length in range(len(bare) - 1, 0, -1)]
    places += [place + "/" for place in places if not place.endswith("/") and "?" not in place]
    return _without_own(target, (*places, f"//{path_of(path).strip('/')}", f"/index.php{path_of(path)}"))


def list_queries(target: Target) -> tuple[str, ...]:
    """Return the webhook's place with a switch, with one parameter less, and with each parameter of another value."""
    path = target.webhook.path
    places = [with_query(path, urlencode({name: value})) for name, values in _SWITCHES.items() for value in values]
    bare, _, query = path.partition("?")
    parameters = query.split("&") if query else []
    for index, parameter in enumerate(parameters):
        name, equals, _ = parameter.partition("=")
        others = [f"{name}={value}" for value in _HANDLERS] if equals else []
        for other in ("", *others):
            changed = [*parameters[:index], *([other] if other else []), *parameters[index + 1 :]]
            places.append(bare + ("?" if changed else "") + "&".join(changed))
    return _without_own(target, places)


def _without_own(target: Target, places: Iterable[str]) -> tuple[str, ...]:
    return tuple(place for place in dict.fromkeys(places) if place != target.webhook.path)


def _post_paths(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of an OpenAPI document to which one may post, below the path of its first server."""
    servers = document.get("servers")
    first = servers[0].get("url", "") if isinstance(servers, list) and servers and isinstance(servers[0], dict) else ""
    base = str(document.get("basePath", "")) or re.sub(r"^[a-z]+://[^/]*", "", str(first))
    for path, operations in (document.get("paths") or {}).items():
        if isinstance(operations, dict) and "post" in operations and isinstance(path, str) and path.startswith("/"):
            yield base.rstrip("/") + path
