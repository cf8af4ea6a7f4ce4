"""The public paths; every other path, even one that does not exist, needs a sign-in."""

__all__ = ["CONNECT_WEBHOOK", "HEALTH", "OPENAPI", "PUBLIC", "WEBHOOK", "WEBHOOKS"]

WEBHOOK = "/webhooks/stripe"
CONNECT_WEBHOOK = "/webhooks/stripe/connect"
WEBHOOKS = frozenset({WEBHOOK, CONNECT_WEBHOOK})
HEALTH = "/health"
OPENAPI = "/openapi.json"
# The webhooks verify signatures, health says one word, and the document is served only where the operator wants it.
PUBLIC = frozenset({*WEBHOOKS, HEALTH, OPENAPI})
