"""The application: routes, and the middleware around them."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from payproof_reference.middleware import paths
from payproof_reference.middleware.access import Authentication
from payproof_reference.middleware.card_data import CardData
from payproof_reference.middleware.errors import (
    UnhandledErrors,
    on_billing_error,
    on_http_error,
    on_invalid_request,
    on_refusal,
)
from payproof_reference.middleware.proxies import TrustedProxies
from payproof_reference.middleware.security import SecurityHeaders
from payproof_reference.routes import billing, health, stripe
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.events.delivery import Account
from payproof_reference.services.events.recorder import Recorder
from payproof_reference.services.operations.attempts import Attempts
from payproof_reference.services.operations.sessions import Sessions
from payproof_reference.services.refusals import RefusedError
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.services.stripe.port import StripeGateway
from payproof_reference.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings, engine: Engine, gateway: StripeGateway) -> FastAPI:
    """Build the application around an open database and a way to Stripe.

    Documentation pages are never served, and the OpenAPI document only on request: what is not needed does not run
    (PCI DSS 2.2.4).
    """
    app = FastAPI(
        title="Payproof reference billing service",
        openapi_url=paths.OPENAPI if settings.openapi else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            HTTPException: on_http_error,
            RequestValidationError: on_invalid_request,
            RefusedError: on_refusal,
            BillingError: on_billing_error,
        },
    )
    app.state.settings = settings
    app.state.engine = engine
    audit = app.state.audit = AuditLog.under(settings)
    app.state.gateway = gateway
    app.state.attempts = Attempts(
        engine, audit, gateway, settings.give_up_seconds, pause_seconds=settings.pause_seconds
    )
    app.state.sessions = Sessions(engine, audit, gateway, settings.return_url)
    account = Account(settings.stripe_livemode, settings.stripe_account)
    app.state.recorder = Recorder(engine, audit, gateway, account)
    app.include_router(stripe.router)
    app.include_router(health.router)
    app.include_router(billing.router)
    # The last one added is the outermost.
    app.add_middleware(CardData)
    app.add_middleware(Authentication)
    app.add_middleware(UnhandledErrors)
    app.add_middleware(TrustedProxies, trusted=settings.trusted_proxies)
    app.add_middleware(SecurityHeaders)
    return app
