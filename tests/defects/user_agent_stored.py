"""The user agent of each delivery is kept."""

from sqlalchemy import Column, Text, insert

from tests.defects._planting import create_tables, kept, with_requests


def plant() -> None:
    table = kept("agents", Column("agent", Text))
    create_tables()
    with_requests(
        lambda request, connection: connection.execute(insert(table).values(agent=request.headers["user-agent"]))
    )
