"""The query of each delivery is kept."""

from sqlalchemy import JSON, Column, insert

from tests.defects._planting import create_tables, kept, with_requests


def plant() -> None:
    table = kept("deliveries", Column("query", JSON))
    create_tables()
    with_requests(
        lambda request, connection: connection.execute(insert(table).values(query=dict(request.query_params)))
    )
