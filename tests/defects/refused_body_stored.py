"""Every request that was refused as invalid is kept, with its body, for later analysis."""

from sqlalchemy import Column, Integer, Table, Text

from payproof_reference import app as application
from payproof_reference.database import tables
from tests.defects._planting import create_tables


def plant() -> None:
    kept = Table("refused_requests", tables.metadata, Column("number", Integer, primary_key=True), Column("body", Text))
    on_invalid_request = application.on_invalid_request

    async def storing(request, error):
        with request.app.state.engine.begin() as connection:
            connection.execute(kept.insert().values(body=str(error.body)))
        return await on_invalid_request(request, error)

    application.on_invalid_request = storing
    create_tables()
