from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import need
from tests.postgresql import container, image_at_hand, wheel
from tests.unit.databases import Database, Kind, Postgresql, PostgresqlKind, SqliteKind


@pytest.fixture(scope="session")
def sqlite_kind() -> SqliteKind:
    """SQLite in files."""
    return SqliteKind()


@pytest.fixture(scope="session")
def wheel_kind() -> Iterator[PostgresqlKind]:
    """PostgreSQL of the wheel."""
    with wheel() as address:
        yield PostgresqlKind(address)


@pytest.fixture(scope="session")
def container_kind() -> Iterator[PostgresqlKind]:
    """PostgreSQL in a container."""
    image = image_at_hand()
    need("docker", present=image is not None)
    assert image is not None
    with container(image) as address:
        yield PostgresqlKind(address)


@pytest.fixture(params=["sqlite_kind", "wheel_kind", "container_kind"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of database."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["wheel_kind", "container_kind"])
def postgresql_kind(request: pytest.FixtureRequest) -> PostgresqlKind:
    """PostgreSQL, each server."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def database(kind: Kind, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind with a table."""
    with kind.fresh(tmp_path) as made:
        made.run("CREATE TABLE events (id TEXT PRIMARY KEY, amount INTEGER)")
        yield made


@pytest.fixture
def postgresql(postgresql_kind: PostgresqlKind, tmp_path: Path) -> Iterator[Postgresql]:
    """An empty PostgreSQL database on each server."""
    with postgresql_kind.fresh(tmp_path) as made:
        yield made
