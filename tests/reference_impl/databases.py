"""Both databases for tests: each test gets a fresh one, migrated, with the roles that a deployment has."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import Engine, make_url

from payproof_reference.database import schema
from payproof_reference.database.engine import open_database
from tests.postgresql import server

__all__ = ["OWNER", "SERVICE", "Addresses", "Database", "postgresql", "sqlite"]

OWNER, SERVICE = "billing_owner", "billing-service"


@dataclass(frozen=True)
class Addresses:
    """One database, as the service sees it and as the owner of its tables does."""

    service: str
    owner: str


class Database(Protocol):
    """A kind of database that can make fresh ones."""

    name: str

    def fresh(self, *, migrated: bool = True) -> Addresses: ...

    def drop(self, addresses: Addresses) -> None: ...


@dataclass
class Sqlite:
    folder: Path
    name: str = "sqlite"
    numbers: Iterator[int] = field(default_factory=count)

    def fresh(self, *, migrated: bool = True) -> Addresses:
        template, path = self.folder / "template.db", self.folder / f"{next(self.numbers)}.db"
        if migrated:
            if not template.exists():
                migrate(f"sqlite:///{template}", None)
            shutil.copy(template, path)
        return Addresses(f"sqlite:///{path}", f"sqlite:///{path}")

    def drop(self, addresses: Addresses) -> None:
        for path in self.folder.glob(Path(addresses.owner).name + "*"):
            path.unlink()


@dataclass
class Postgresql:
    server: str
    name: str = "postgresql"
    numbers: Iterator[int] = field(default_factory=count)
    has_template: bool = False

    def fresh(self, *, migrated: bool = True) -> Addresses:
        name = f"billing_{next(self.numbers)}"
        if migrated and not self.has_template:
            self.run(f"CREATE DATABASE template_billing OWNER {OWNER}")
            migrate(self.address(OWNER, "template_billing"), SERVICE)
            self.has_template = True
        template = "template_billing" if migrated else "template1"
        self.run(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
        return Addresses(self.address(SERVICE, name), self.address(OWNER, name))

    def drop(self, addresses: Addresses) -> None:
        self.run(f"DROP DATABASE {make_url(addresses.owner).database} WITH (FORCE)")

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def address(self, role: str, database: str) -> str:
        url = make_url(self.server).set(username=role, database=database, drivername="postgresql+psycopg")
        return url.render_as_string(hide_password=False)


def migrate(address: str, service_role: str | None) -> None:
    engine: Engine = open_database(address)
    schema.upgrade(engine, service_role)
    if engine.dialect.name == "sqlite":
        # Otherwise a part of the template would stay in its journal.
        with engine.connect() as connection:
            connection.rollback()
            connection.connection.execute("PRAGMA journal_mode = DELETE")
    engine.dispose()


@contextmanager
def sqlite(folder: Path) -> Iterator[Database]:
    """Make databases in files of a folder."""
    yield Sqlite(folder)


@contextmanager
def postgresql() -> Iterator[Database]:
    """Make databases on a server of this process's own: in a container where Docker has the image, else of a wheel."""
    with server() as address:
        made = Postgresql(address)
        # What a crash of the machine would lose is of no concern here.
        made.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        password = make_url(address).password or "unused"
        made.run(*(f"""CREATE ROLE "{role}" LOGIN PASSWORD '{password}'""" for role in (OWNER, SERVICE)))
        yield made
