"""The rights of the service's role, granted table by table in the migration that makes the table."""

from alembic import context, op

__all__ = ["grant"]


def grant(privileges: str, *tables: str) -> None:
    """Grant the service's role something on tables; on SQLite, which has no roles, nothing.

    Nothing is granted by default and nothing on what others own, so a table without a grant is one that the service
    cannot see (PCI DSS 7.2.2, 7.3.3).
    """
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    role = bind.dialect.identifier_preparer.quote_identifier(context.config.attributes["service_role"])
    for table in tables:
        op.execute(f"GRANT {privileges} ON {table} TO {role}")
