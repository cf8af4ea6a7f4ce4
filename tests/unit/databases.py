"""A database of each kind that the harness watches, as its target writes to it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

import psycopg
import pymysql

from payproof.domain.address import without_password
from payproof.domain.sensitive import Secret
from payproof.domain.target import SourceSpec
from payproof.registry import store_sources

__all__ = [
    "PASSWORD",
    "WATCHER",
    "Database",
    "Kind",
    "MariadbKind",
    "Postgresql",
    "PostgresqlKind",
    "SqliteKind",
    "opened",
    "rows",
    "snapshot",
]

WATCHER = "watch'er"
PASSWORD = "pass@word/" + "of:the watcher"


class Database(Protocol):
    """One database."""

    url: str

    def run(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""

    def spec(self, **more: object) -> SourceSpec:
        """Return what a target file would say."""


class Kind(Protocol):
    """A kind of database; ``blob`` is its type for bytes."""

    blob: str

    def fresh(self, folder: Path) -> AbstractContextManager[Database]:
        """Make an empty database."""


@dataclass(frozen=True)
class Sqlite:
    url: str
    connection: sqlite3.Connection

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def spec(self, **more: object) -> SourceSpec:
        return SourceSpec("database", self.url, **more)


@dataclass(frozen=True)
class SqliteKind:
    blob: str = "BLOB"

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[Sqlite]:
        path = folder / "billing.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield Sqlite(f"sqlite:{path}", connection)


@dataclass(frozen=True)
class Postgresql:
    """``url`` is the administrator's; ``watcher`` is the role that watches, as a URL says it."""

    url: str
    watcher: str = quote(WATCHER)
    password: str = PASSWORD

    @property
    def name(self) -> str:
        """The database's name."""
        return urlsplit(self.url).path[1:]

    def run(self, *statements: str) -> None:
        with self.connected() as connection:
            for statement in statements:
                connection.execute(statement)

    def connected(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True)

    def spec(self, **more: object) -> SourceSpec:
        parts = urlsplit(self.url)
        url = parts._replace(netloc=f"{self.watcher}@{parts.netloc.rpartition('@')[2]}").geturl()
        return SourceSpec("database", url, **{"password": Secret("password", self.password)} | more)


@dataclass
class PostgresqlKind:
    server: str
    blob: str = "BYTEA"
    numbers: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        quoted = PASSWORD.replace("'", "''")
        Postgresql(self.server).run(
            "ALTER SYSTEM SET fsync = off",
            "SELECT pg_reload_conf()",
            f"""CREATE ROLE "{WATCHER}" LOGIN PASSWORD '{quoted}'""",
            f'GRANT pg_read_all_data TO "{WATCHER}"',
        )

    @contextmanager
    def fresh(self, folder: Path, options: str = "") -> Iterator[Postgresql]:
        name = f"watched_{next(self.numbers)}"
        administrator = Postgresql(self.server)
        administrator.run(f"CREATE DATABASE {name} {options}")
        yield Postgresql(urlsplit(self.server)._replace(path=f"/{name}").geturl())
        administrator.run(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True)
class Mariadb:
    """``url`` is the administrator's."""

    url: str

    def run(self, *statements: str) -> None:
        parts = urlsplit(self.url)
        login = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
        # Names in double quotes are names, as everywhere else.
        options = {"autocommit": True, "charset": "utf8mb4", "init_command": "SET sql_mode = 'ANSI_QUOTES'"}
        with (
            pymysql.connect(**login, **options, database=parts.path[1:] or None) as connection,
            connection.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)

    def spec(self, **more: object) -> SourceSpec:
        url, password = without_password(self.url)
        return SourceSpec("database", url, **{"password": Secret("password", password)} | more)


@dataclass
class MariadbKind:
    server: str
    blob: str = "BLOB"
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[Mariadb]:
        name = f"watched_{next(self.numbers)}"
        administrator = Mariadb(self.server)
        administrator.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield Mariadb(f"{self.server}{name}")
        administrator.run(f"DROP DATABASE {name}")


@contextmanager
def opened(database, **more):
    """Open a database as a store, and close it."""
    spec = database.spec(**more)
    with asyncio.Runner() as loop:
        store = store_sources()[spec.url.partition(":")[0]](spec)
        store.loop = loop
        try:
            yield store
        finally:
            loop.run(store.close())


def snapshot(store, ids=(), before=None):
    """Take a store's state."""
    return store.loop.run(store.snapshot(ids, before))


def rows(state, table="events"):
    """Return how many rows of a table a snapshot has counted."""
    return sum(state.tables[table].values())
