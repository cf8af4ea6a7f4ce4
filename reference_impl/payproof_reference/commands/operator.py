"""Shared by the commands: the database as its owner sees it, and the operator's name in the audit log."""

import os

from sqlalchemy import Engine

from payproof_reference.database.engine import open_database, parse_address
from payproof_reference.settings import DatabaseSettings, MisconfiguredError

__all__ = ["name_operator", "open_as_owner", "say"]


def open_as_owner(settings: DatabaseSettings) -> tuple[Engine, str | None]:
    """Open the database as the role that owns its tables, and name the role of the service.

    Raises:
        MisconfiguredError: on PostgreSQL the two are the same role, or one is missing.
    """
    url = parse_address(settings.database_url.get_secret_value(), "BILLING_DATABASE_URL")
    if url.get_backend_name() == "sqlite":
        return open_database(settings.database_url.get_secret_value()), None
    if settings.migration_database_url is None:
        raise MisconfiguredError("BILLING_MIGRATION_DATABASE_URL: required for PostgreSQL")
    address = settings.migration_database_url.get_secret_value()
    owner = parse_address(address, "BILLING_MIGRATION_DATABASE_URL")
    if not url.username or owner.username == url.username:
        raise MisconfiguredError("BILLING_MIGRATION_DATABASE_URL: must name another role than BILLING_DATABASE_URL")
    return open_database(address, setting="BILLING_MIGRATION_DATABASE_URL", patient=True), url.username


def name_operator() -> str:
    """Name who runs this process by number; names come from the environment, which anybody can set."""
    return f"operator:{os.getuid()}"


def say(line: str) -> None:
    """Tell the operator."""
    print(line)  # noqa: T201 - the answer to a command
