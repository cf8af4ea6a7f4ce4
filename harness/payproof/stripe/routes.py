"""Where integrations put their webhook when nobody says where it is."""

__all__ = ["CUSTOMARY_PATHS"]

#: Paths that integrations use, the likeliest first.
CUSTOMARY_PATHS = (
    "/webhooks/stripe",
    "/webhook/stripe",
    "/stripe/webhooks",
    "/stripe/webhook",
    "/api/webhooks/stripe",
    "/api/webhook/stripe",
    "/api/stripe/webhooks",
    "/api/stripe/webhook",
    "/api/v1/webhooks/stripe",
    "/billing/webhook",
    "/payments/webhook",
    "/api/payments/webhook",
    "/webhooks",
    "/webhook",
    "/api/webhook",
)
