"""Where integrations put their webhook when nobody says where it is."""

__all__ = ["CUSTOMARY_PATHS"]

#: Paths that integrations use, the likeliest first: what documents of Stripe's and of frameworks show, then what is the
#: default of libraries and products (Better Auth, pay for Rails, pretix, Odoo, Ghost, Medusa, WooCommerce).
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
    "/api/v1/stripe/webhook",
    "/webhooks",
    "/webhook",
    "/api/webhooks",
    "/api/webhook",
    "/api/v1/webhook",
    "/billing/webhook",
    "/billing/stripe/webhook",
    "/billing/webhooks/stripe",
    "/payments/webhook",
    "/payments/stripe/webhook",
    "/payments/webhooks/stripe",
    "/api/payments/webhook",
    "/api/billing/webhook",
    "/api/checkout/webhook",
    "/stripe-webhook",
    "/api/stripe-webhook",
    "/stripe/events",
    "/stripe",
    "/hooks/stripe",
    "/api/auth/stripe/webhook",
    "/pay/webhooks/stripe",
    "/_stripe/webhook/",
    "/payment/stripe/webhook",
    "/members/webhooks/stripe",
    "/hooks/payment/stripe_stripe",
    "/?wc-api=wc_stripe",
)
