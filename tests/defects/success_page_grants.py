"""Whoever opens the page of success in a browser has paid: the session that its address names is entered as paid."""

import time

from sqlalchemy import select

from payproof_reference import app as application
from payproof_reference.database.engine import insert_into
from payproof_reference.database.tables import checkout_sessions, customers

PAGE = "/v1/checkout-sessions/"


def plant() -> None:
    create_app = application.create_app

    def create_app_with_page(settings, engine, gateway):
        service = create_app(settings, engine, gateway)

        @service.middleware("http")
        async def enter_as_paid(request, call_next):
            if request.url.path.startswith(PAGE) and request.headers["accept"] == "*/*":
                enter(engine, request.url.path.removeprefix(PAGE))
            return await call_next(request)

        return service

    application.create_app = create_app_with_page


def enter(engine, session):
    """Enter a session as paid by the customer who was made last."""
    newest = select(customers.c.stripe_customer_id).order_by(customers.c.event_created_at.desc())
    paid = {"status": "complete", "payment_status": "paid", "event_created_at": int(time.time())}
    with engine.begin() as connection:
        row = {"stripe_checkout_session_id": session, "stripe_customer_id": connection.scalar(newest), **paid}
        entry = insert_into(connection.dialect.name, checkout_sessions).on_conflict_do_nothing()
        connection.execute(entry, row)
