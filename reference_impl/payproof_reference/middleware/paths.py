"""The public paths; every other path, even one that does not exist, needs a sign-in."""

__all__ = ["HEALTH", "OPENAPI", "PUBLIC", "WEBHOOK"]

WEBHOOK = "/webhooks/stripe"
HEALTH = "/health"
OPENAPI = "/openapi.json"
# The webhook verifies signatures, health says one word, and the document is served only where the operator wants it.
PUBLIC = frozenset({WEBHOOK, HEALTH, OPENAPI})
