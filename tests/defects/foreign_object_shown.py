"""Whoever knows the id of an object may read it."""

from payproof_reference.services.refusals import Refusal, RefusedError
from payproof_reference.services.state import tenant_queries


def plant() -> None:
    def read_one(connection, holding, _tenant_id, id_):
        row = connection.execute(holding.rows.where(holding.id == id_)).mappings().first()
        if row is None:
            raise RefusedError(Refusal.NOT_FOUND)
        return row

    tenant_queries.read_one = read_one
