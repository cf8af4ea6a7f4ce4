"""The application: routes, and the middleware around them."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from reference_impl.middleware.errors import Errors, on_http_error, on_invalid_request
from reference_impl.middleware.security import SecurityHeaders
from reference_impl.routes import health, stripe
from reference_impl.services.audit import AuditLog
from reference_impl.services.deliveries import Account
from reference_impl.services.recorder import Recorder
from reference_impl.services.stripe.port import StripeGateway
from reference_impl.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings, engine: Engine, gateway: StripeGateway) -> FastAPI:
    """Build the application around an open database and a way to Stripe.

    Documentation pages are never served, and the OpenAPI document only on request: what is not needed does not run
    (PCI DSS 2.2.4).
    """
    app = FastAPI(
        title="Payproof reference billing service",
        openapi_url="/openapi.json" if settings.openapi else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: on_http_error, RequestValidationError: on_invalid_request},
    )
    app.state.settings = settings
    app.state.engine = engine
    app.state.audit = AuditLog(settings.audit_key)
    app.state.gateway = gateway
    account = Account(settings.stripe_livemode, settings.stripe_account)
    app.state.recorder = Recorder(engine, app.state.audit, gateway, account)
    app.include_router(stripe.router)
    app.include_router(health.router)
    # The last one added is the outermost.
    app.add_middleware(Errors)
    app.add_middleware(SecurityHeaders)
    return app
