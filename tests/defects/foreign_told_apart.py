"""What is another tenant's is answered 403, and what is not there 404."""

from sqlalchemy import select
from starlette.exceptions import HTTPException

from payproof_reference.services.refusals import RefusedError
from payproof_reference.services.state import tenant_queries


def plant() -> None:
    lock = tenant_queries.lock_customer

    def telling(connection, tenant_id, id_, value):
        try:
            return lock(connection, tenant_id, id_, value)
        except RefusedError:
            if connection.execute(select(id_).where(id_ == value)).first() is not None:
                raise HTTPException(403) from None
            raise

    tenant_queries.lock_customer = telling
