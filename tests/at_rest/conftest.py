from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import wheel
from tests.unit.databases import Postgresql, PostgresqlKind


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlKind]:
    """PostgreSQL of the wheel."""
    with wheel() as address:
        yield PostgresqlKind(address)


@pytest.fixture
def postgresql(server: PostgresqlKind, tmp_path: Path) -> Iterator[Postgresql]:
    """An empty PostgreSQL database."""
    with server.fresh(tmp_path) as made:
        yield made
