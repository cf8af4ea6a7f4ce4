"""What is refused to a role is entered as an operation all the same."""

from sqlalchemy import Column, Integer, String, Table

from payproof_reference.database import tables
from tests.defects._access import around_guard
from tests.defects._planting import create_tables


def plant() -> None:
    wanted = Table("wanted", tables.metadata, Column("number", Integer, primary_key=True), Column("path", String(255)))

    def enter(request, _principal, _guard):
        with request.app.state.engine.begin() as connection:
            connection.execute(wanted.insert().values(path=request.url.path))

    around_guard(enter)
    create_tables()
