"""A statement that a server does not answer is broken off from another thread."""

import threading
from contextlib import closing

import pytest

from payproof.domain.target import SourceSpec
from payproof.errors import InconclusiveError
from payproof.registry import table_sources
from tests.waiting import until


def test_a_statement_of_postgresql_is_broken_off(postgresql):
    """The connection that a statement waits on is ended, whatever the server does, and that is told."""
    with closing(table_sources()["postgresql"](SourceSpec("db", postgresql.url))) as tables:
        raised = []

        def wait():
            with pytest.raises(InconclusiveError) as caught, tables._read_only() as cursor:
                cursor.execute("SELECT pg_sleep(60)")
            raised.append(caught.value)

        reader = threading.Thread(target=wait)
        reader.start()
        until(lambda: tables._connection is not None)
        until(lambda: tables.interrupt() or not reader.is_alive())
        reader.join()
        assert len(raised) == 1
        assert list(tables.tables()) == []
