"""A customer who was told of before, if only when made, cannot be told of again: an error that nobody handles."""

from payproof_reference.services import holdings


def plant() -> None:
    one = holdings.one
    told = set()

    def once(connection, holding, tenant_id, id_):
        row = one(connection, holding, tenant_id, id_)
        if holding is holdings.CUSTOMERS:
            dict.fromkeys({id_} - told, 0)[id_]
            told.add(id_)
        return row

    holdings.one = once
