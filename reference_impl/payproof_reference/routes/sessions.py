"""Pages of Stripe's, on which a customer pays or manages subscriptions: card data never comes here (SAQ A)."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from payproof_reference.middleware.refusals import origin_of
from payproof_reference.routes.models import StrictModel
from payproof_reference.routes.parts import (
    CheckoutSessionId,
    CustomerId,
    Manager,
    PriceId,
    Reader,
    declare_problems,
    open_reading,
    require_plan,
)
from payproof_reference.routes.resources import CheckoutPage, CheckoutSession, PortalPage
from payproof_reference.services.state import tenant_queries
from payproof_reference.services.state.tenant_queries import CHECKOUT_SESSIONS

__all__ = ["router"]

router = APIRouter(tags=["sessions"])


class NewCheckout(StrictModel):
    """Who is to pay, and for which of the plans that the operator listed."""

    customer_id: CustomerId
    price_id: PriceId


class NewPortal(StrictModel):
    """Who is to manage subscriptions."""

    customer_id: CustomerId


@router.post("/checkout-sessions", status_code=HTTPStatus.CREATED, responses=declare_problems(400, 402, 404))
def create_checkout_session(
    request: Request, response: Response, principal: Manager, body: NewCheckout
) -> CheckoutPage:
    """Open a page on which a customer subscribes; 503 while Stripe is out of reach."""
    require_plan(request, body.price_id)
    made = request.app.state.sessions.open_checkout(
        principal, origin_of(request), customer_id=body.customer_id, price_id=body.price_id
    )
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return CheckoutPage(id=made.id, url=made.url, expires_at=made.expires_at)


@router.get("/checkout-sessions/{session_id}", responses=declare_problems(404))
def get_checkout_session(request: Request, principal: Reader, session_id: CheckoutSessionId) -> CheckoutSession:
    """Tell whether a session was paid, which the visit of the success page does not."""
    with open_reading(request) as connection:
        return CheckoutSession(
            **tenant_queries.read_one(connection, CHECKOUT_SESSIONS, principal.tenant_id, session_id)
        )


@router.post("/portal-sessions", status_code=HTTPStatus.CREATED, responses=declare_problems(400, 402, 404))
def create_portal_session(request: Request, principal: Manager, body: NewPortal) -> PortalPage:
    """Open a page on which a customer manages subscriptions; 503 while Stripe is out of reach."""
    made = request.app.state.sessions.open_portal(principal, origin_of(request), customer_id=body.customer_id)
    return PortalPage(id=made.id, url=made.url)
