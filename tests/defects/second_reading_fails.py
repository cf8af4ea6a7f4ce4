"""A customer who was told of before, if only when made, cannot be told of again: an error that nobody handles."""

from payproof_reference.services.state import tenant_queries


def plant() -> None:
    one = tenant_queries.read_one
    told = set()

    def once(connection, holding, tenant_id, id_):
        row = one(connection, holding, tenant_id, id_)
        if holding is tenant_queries.CUSTOMERS:
            dict.fromkeys({id_} - told, 0)[id_]
            told.add(id_)
        return row

    tenant_queries.read_one = once
