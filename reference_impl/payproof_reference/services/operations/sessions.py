"""Opens pages of Stripe's for a tenant's customer, and records it before and after.

The address of a page lets whoever holds it act as the customer. So it is stored nowhere, and a session cannot be
finished later by the worker: when Stripe is out of reach, there is none.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from payproof_reference.database.engine import insert
from payproof_reference.database.tables import checkout_sessions
from payproof_reference.services.audit.log import Action, AuditLog, Record, Result
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.state import tenant_queries
from payproof_reference.services.state.tenant_queries import CUSTOMERS
from payproof_reference.services.stripe.errors import BillingError
from payproof_reference.services.stripe.port import OpenedCheckout, OpenedPortal, StripeGateway
from payproof_reference.text.references import new_reference

__all__ = ["Sessions"]

Session = TypeVar("Session", OpenedCheckout, OpenedPortal)

# For so long a page of Checkout is open, if nobody asks for less: what tells when it was made.
CHECKOUT_SECONDS = 24 * 3600


class Sessions:
    """Opens pages of Checkout and of the customer portal.

    Args:
        engine: the database.
        audit: the audit log in it.
        gateway: the way to Stripe.
        return_url: where every page leads back to; never a caller's choice, which would be an open redirect.
    """

    def __init__(self, engine: Engine, audit: AuditLog, gateway: StripeGateway, return_url: str) -> None:
        self._engine = engine
        self._audit = audit
        self._gateway = gateway
        self._return_url = return_url

    def open_checkout(self, principal: Principal, origin: str, *, customer_id: str, price_id: str) -> OpenedCheckout:
        """Open a page on which a customer subscribes.

        Raises:
            RefusedError: NOT_FOUND.
            BillingError: Stripe refused or is out of reach.
            AuditBrokenError, SQLAlchemyError: the address is not given to anybody.
        """

        def create(key: str) -> OpenedCheckout:
            return self._gateway.create_checkout_session(
                customer_id=customer_id,
                price_id=price_id,
                # Stripe fills in the id, with which the customer comes back.
                success_url=f"{self._return_url}?session_id={{CHECKOUT_SESSION_ID}}",
                cancel_url=self._return_url,
                idempotency_key=key,
            )

        return self._open("checkout", principal, origin, customer_id, create)

    def open_portal(self, principal: Principal, origin: str, *, customer_id: str) -> OpenedPortal:
        """Open a page on which a customer manages subscriptions.

        Raises:
            RefusedError, BillingError, AuditBrokenError, SQLAlchemyError: as above.
        """

        def create(key: str) -> OpenedPortal:
            return self._gateway.create_portal_session(
                customer_id=customer_id, return_url=self._return_url, idempotency_key=key
            )

        return self._open("portal", principal, origin, customer_id, create)

    def _open(
        self, page: str, principal: Principal, origin: str, customer_id: str, create: Callable[[str], Session]
    ) -> Session:
        key = f"ses_{new_reference()}"

        def build_record(event: Action, reason: str, object_id: str = customer_id) -> Record:
            return Record(
                event=event,
                actor=principal.actor,
                result=Result.FAILED if event is Action.SESSION_FAILED else Result.SUCCESS,
                origin=origin,
                reason=reason,
                object_id=object_id,
                reference=key,
                tenant_id=principal.tenant_id,
            )

        with self._engine.begin() as connection:
            tenant_queries.read_one(connection, CUSTOMERS, principal.tenant_id, customer_id)
            self._audit.append(connection, build_record(Action.SESSION_REQUESTED, page))
        try:
            session = create(key)
        except BillingError as error:
            self._audit.note(self._engine, build_record(Action.SESSION_FAILED, f"{page}: {error.category}"))
            raise
        with self._engine.begin() as connection:
            if isinstance(session, OpenedCheckout):
                write_session(connection, session, customer_id)
            self._audit.append(connection, build_record(Action.SESSION_CREATED, page, session.id))
        return session


def write_session(connection: Connection, session: OpenedCheckout, customer_id: str) -> None:
    """Write a session as unpaid, unless its event came first; not its address.

    The time is Stripe's own, as in events: the row must be older than whatever happens to the session, and not so old
    that it is purged at once.
    """
    values: dict[str, Any] = {
        "stripe_checkout_session_id": session.id,
        "stripe_customer_id": customer_id,
        "status": session.status,
        "payment_status": "unpaid",
        "event_created_at": max(0, session.expires_at - CHECKOUT_SECONDS),
    }
    connection.execute(insert(connection, checkout_sessions).values(values).on_conflict_do_nothing())
