"""Stripe's errors are kept in a table, whole, with the payer's data in them."""

from sqlalchemy import Column, Table, Text

from payproof_reference import app as application
from payproof_reference.database import tables
from payproof_reference.services.stripe import sdk
from tests.defects._planting import create_tables


def plant() -> None:
    kept = Table("stripe_errors", tables.metadata, Column("body", Text))
    create_tables()
    reduced, create_app, engines = sdk.reduce_answer, application.create_app, []

    def create(settings, engine, gateway):
        engines.append(engine)
        return create_app(settings, engine, gateway)

    def keeping(status, headers, body):
        if status >= 400:
            with engines[0].begin() as connection:
                connection.execute(kept.insert().values(body=body.decode(errors="replace")))
        return reduced(status, headers, body)

    application.create_app, sdk.reduce_answer = create, keeping
