"""The search of hostile folders, tables and logs: what would block is not opened, and what breaks costs itself."""

import asyncio
import os
import signal
import socket
import sqlite3
import tempfile
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak, NotRead
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, PayproofError, Reason
from payproof.sources.file import open_log
from payproof.sources.sqlite import open_store
from tests.at_rest.made import LINES, PAN
from tests.end_to_end.processes import PROC
from tests.hostile.files.archives import ARCHIVES
from tests.hostile.measured import measured
from tests.waiting import until

MOST = 300  # MiB
_DEPTH = 1500


def deep(folder, levels=_DEPTH):
    """Make folders within each other, with a card number in the last one."""
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=handle)
        inner = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    file = os.open("deepest.log", os.O_WRONLY | os.O_CREAT, dir_fd=handle)
    os.write(file, LINES)
    os.close(file)
    os.close(handle)


@contextmanager
def emptied():
    """A folder that is removed again however deep it is, which the tool of pytest's does not manage."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        place = Path(folder, "d")
        while place.exists():  # the last ones first would be too many calls, too
            for one in list(place.glob("d/d")):
                one.rename(Path(folder, "next"))
            for one in sorted(place.rglob("*"), reverse=True):
                one.rmdir() if one.is_dir() else one.unlink()
            place.rmdir()
            if Path(folder, "next").exists():
                Path(folder, "next").rename(place)


@pytest.mark.parametrize("pattern", ["{}", "file:{}/**/*.log"])
def test_deep_folders_are_walked(record_property, pattern):
    """However deep folders are nested, what is in them and beside them is found, by path and by pattern."""
    with emptied() as folder:
        (folder / "z.log").write_bytes(LINES)
        deep(folder)
        ended = measured("scan", "--format", "jsonl", pattern.format(folder))
    record_property("measured", ended.row(f"tree: {_DEPTH} folders deep, {pattern}"))
    assert (ended.hung, ended.code, ended.err, ended.left) == (False, 1, "", ())
    assert ended.out.count('"kind": "pan"') == 2
    assert '"not read"' not in ended.out


def test_nothing_but_files_is_opened(tmp_path, record_property):
    """Pipes, sockets, devices and what the kernel lets wait are told, not waited for; what is beside them is found."""
    os.mkfifo(tmp_path / "b.pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.open(tmp_path, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{here}/c.socket")
        os.close(here)
        (tmp_path / "d.zero").symlink_to("/dev/zero")
        (tmp_path / "e.loop").symlink_to(tmp_path)
        (tmp_path / "f.nowhere").symlink_to("nowhere")
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/g\xff.log")).write_bytes(LINES)
        (tmp_path / "h\nnot read: i\x1b[2J.log").write_bytes(LINES)
        if (PROC / "kmsg").exists():
            (tmp_path / "j.kmsg").symlink_to(PROC / "kmsg")
        (tmp_path / "z.log").write_bytes(LINES)
        ended = measured("scan", tmp_path)
    record_property("measured", ended.row("tree: pipes, sockets, devices, odd names"))
    assert (ended.hung, ended.code, ended.err, ended.left) == (False, 1, "", ())
    assert sum(line.startswith("new ") for line in ended.out.splitlines()) == 6
    told = [line for line in ended.out.splitlines() if line.startswith("not read: ")]
    for sort in ("b.pipe: it is a named pipe", "c.socket: it is a socket", "d.zero: it is a device", "f.nowhere: "):
        assert any(sort in line for line in told), told
    assert all(str(tmp_path) in line for line in told)
    assert "\x1b" not in ended.out


def database(path, *statements):
    """Make a database."""
    with closing(sqlite3.connect(path)) as made:
        for statement in statements:
            made.execute(statement)
        made.commit()


_CARDS = "CREATE TABLE z_cards (id INTEGER PRIMARY KEY, n INTEGER)", f"INSERT INTO z_cards VALUES (1, {PAN})"


def renamed(path):
    """Make names in a database that are no UTF-8."""
    database(path, "CREATE TABLE caf_ (x)", "CREATE TABLE a_odd (id INTEGER, nam_ INTEGER)", *_CARDS)
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("INSERT INTO caf_ VALUES ('x')")
        made.execute(f"INSERT INTO a_odd VALUES (1, {PAN})")
    path.write_bytes(path.read_bytes().replace(b"caf_", b"caf\xe9").replace(b"nam_", b"nam\xe9"))


def with_pipe(path):
    """Make a database beside which a pipe stands where SQLite would open a file."""
    database(path, *_CARDS)
    os.mkfifo(f"{path}-wal")


def without_module(path):
    """Make a table that needs a module which is not there, and names with line ends and codes."""
    database(
        path, 'CREATE TABLE "a\nnot read: \x1b[2J" (x)', """INSERT INTO "a\nnot read: \x1b[2J" VALUES ('x')""", *_CARDS
    )
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA writable_schema = ON")
        row = "('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING nowhere(x)')"
        made.execute(f"INSERT INTO sqlite_schema VALUES {row}")
        made.commit()


def made_up(path):
    """Make columns that say far more than is stored."""
    database(
        path,
        "CREATE TABLE a_large (id INTEGER PRIMARY KEY, x AS (hex(zeroblob(400000000))), y AS (zeroblob(900000000)))",
        "INSERT INTO a_large (id) VALUES (1), (2)",
        *_CARDS,
    )


def damaged(path):
    """Make a table whose pages are none."""
    database(path, "CREATE TABLE a (x)", "INSERT INTO a VALUES (hex(randomblob(40000)))", *_CARDS)
    data = bytearray(path.read_bytes())
    data[4096 : 2 * 4096] = b"\xff" * 4096
    path.write_bytes(data)


#: What makes a database; whether what is in its last table is found, and what is told as not read.
DATABASES = {
    "names that are no UTF-8": (renamed, 2, "its name is no UTF-8"),
    "a pipe in place of its log": (with_pipe, 0, "it is a named pipe"),
    "a module that is not there": (without_module, 1, "no such module"),
    "columns made up": (made_up, 1, "a_large"),
    "pages that are none": (damaged, 1, "malformed"),
}


@pytest.mark.parametrize("name", DATABASES)
def test_a_hostile_database_costs_only_itself(tmp_path, name, record_property):
    """A table that cannot be read costs itself, told on one line; the others and the file beside it are searched."""
    make, count, why = DATABASES[name]
    make(tmp_path / "a.db")
    (tmp_path / "z.log").write_bytes(LINES)
    ended = measured("scan", f"sqlite:{tmp_path}/a.db", tmp_path / "z.log", seconds=100)
    record_property("measured", ended.row(f"sqlite: {name}"))
    assert (ended.hung, ended.code, ended.err, ended.left) == (False, 1, "", ())
    assert ended.peak < MOST
    lines = ended.out.splitlines()
    assert sum(line.startswith("new ") and "sqlite:" in line for line in lines) == count, ended.out
    assert sum(line.startswith("new ") and "sqlite:" not in line for line in lines) == 2, ended.out
    told = [line for line in lines if line.startswith("not read: ")]
    assert all(line.startswith(f"not read: sqlite:{tmp_path}") for line in told)
    assert any(why in line for line in told), ended.out


def long_strings(path):
    """Write a million bytes once, which hundreds of rows are."""
    column = pa.array(["x" * 1_000_000]).dictionary_encode().take(pa.array([0] * 400))
    parquet.write_table(pa.table({"text": column}), path, compression="zstd")


def expanding(path):
    """Write much that compresses to little."""
    parquet.write_table(pa.table({"text": ["y" * 100_000_000] * 4}), path, compression="zstd", use_dictionary=False)


#: What makes a file, and whether something must be told as not read.
TABLES = {
    "rows.csv": (lambda path: path.write_bytes(b"number,name\n" + b'"x\n","y\n",' * 4_000_000), False),
    "wide.csv": (lambda path: path.write_bytes(b",".join([b"ab"] * 300_000) + b"\n" + b"1\n" * 300_000), False),
    "field.csv": (lambda path: path.write_bytes(b'a,b\n"' + b"x" * 30_000_000), False),
    "none.parquet": (lambda path: path.write_bytes(b"PAR1" + b"\xff" * 5000 + b"\xff\0\0\0PAR1"), True),
    "long.parquet": (long_strings, False),
    "expanding.parquet": (expanding, True),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", TABLES)
def test_a_hostile_table_costs_only_itself(tmp_path, name, record_property):
    """Rows without an end, columns without number and values without measure are searched in bounded memory."""
    make, unread = TABLES[name]
    make(tmp_path / name)
    (tmp_path / "z.log").write_bytes(LINES)
    ended = measured("scan", tmp_path, seconds=100)
    record_property("measured", ended.row(f"table: {name}"))
    assert (ended.hung, ended.code, ended.err, ended.left) == (False, 1, "", ())
    assert ended.peak < MOST
    assert sum(line.startswith("new ") for line in ended.out.splitlines()) == 2
    assert ("\nnot read: " in ended.out) is unread, ended.out


def names_open_in(process):
    """Yield the names of the files that a process has open; each may be closed in the meantime."""
    for one in PROC.joinpath(str(process), "fd").iterdir():
        with suppress(FileNotFoundError):
            yield one.readlink().name


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["zip: 200 MiB in a few bytes of bzip2", "a file without an end"])
def test_a_search_can_be_stopped(tmp_path, name, number, record_property):
    """A signal ends the search of whatever takes long, with its report, and leaves nothing behind."""
    (tmp_path / "a.log").write_bytes(LINES)
    if name in ARCHIVES:
        (tmp_path / "b.zip").write_bytes(ARCHIVES[name][0]())
    else:
        (tmp_path / "b").touch()
        os.truncate(tmp_path / "b", 2**42)

    def stop(process):
        until(lambda: {"b.zip", "b"} & set(names_open_in(process)) if PROC.exists() else True)
        os.kill(process, number)

    ended = measured("scan", "--jobs", "1", tmp_path, meanwhile=stop)
    record_property("measured", ended.row(f"{name}, {number.name}"))
    assert (ended.hung, ended.code, ended.left) == (False, 2, ())
    assert "interrupted: what follows is of the part that was searched" in ended.out


def read(log, position):
    """Return the lines of a log behind a position."""

    async def lines():
        return [block.data async for block in log.since(position)]

    return asyncio.run(asyncio.wait_for(lines(), 20))


def test_a_log_that_becomes_a_pipe(tmp_path):
    """A log in whose place a pipe stands is unreadable at once; nobody waits for somebody who writes."""
    path = tmp_path / "billing.log"
    path.write_bytes(b"before\n")
    log = open_log(SourceSpec("log", f"file:{path}"))
    position = asyncio.run(log.position())
    path.unlink()
    os.mkfifo(path)
    for look in (lambda: read(log, position), lambda: asyncio.run(asyncio.wait_for(log.position(), 20))):
        with pytest.raises(InconclusiveError, match="it is a named pipe") as raised:
            look()
        assert raised.value.reason is Reason.SOURCE_UNREADABLE
    with pytest.raises(ConfigurationError, match="it is a named pipe"):
        open_log(SourceSpec("log", f"file:{path}"))


def test_a_rotated_log_that_is_a_pipe(tmp_path):
    """A log that was rotated away, and whose old file cannot be read, is unreadable; its pipe is not waited for."""
    path = tmp_path / "billing.log"
    os.mkfifo(tmp_path / "old")
    path.write_bytes(b"now\n")
    log = open_log(SourceSpec("log", f"file:{path}"))
    position = asyncio.run(log.position())
    odd = type(position)((tmp_path / "old").stat().st_ino, 0)
    with pytest.raises(InconclusiveError, match="it is a named pipe"):
        read(log, odd)


def test_a_store_with_names_that_are_no_utf_8(tmp_path):
    """A watched table with such a name is unknown and told, unless it is ignored; such columns are read."""
    renamed(tmp_path / "a.db")
    spec = SourceSpec("db", f"sqlite:{tmp_path}/a.db")
    store = open_store(spec)
    with pytest.raises(InconclusiveError, match=r"table caf\\xe9 has a name that is no UTF-8") as raised:
        asyncio.run(store.snapshot((), None))
    assert raised.value.reason is Reason.SOURCE_UNREADABLE
    asyncio.run(store.close())
    store = open_store(SourceSpec("db", spec.url, ignore=("caf\\xe9",)))
    before = asyncio.run(store.snapshot((), None))
    assert before.tables.keys() == {"a_odd", "z_cards"}
    with closing(sqlite3.connect(tmp_path / "a.db")) as other, other:
        other.execute("INSERT INTO a_odd VALUES (2, 3)")
    fresh = asyncio.run(store.snapshot((), before)).fresh
    assert [(one.column, one.data) for one in fresh] == [("id", b"2"), ("nam\\xe9", b"3")]
    asyncio.run(store.close())


def test_a_name_that_cannot_be_masked_costs_only_itself(tmp_path, monkeypatch):
    """Where a name cannot be masked it is not shown, and what is in the file is told all the same."""

    def refuse(_veil, text):
        if text.endswith("b.log"):
            raise PayproofError("a text holds payment data that cannot be masked; it is not shown")
        return text

    monkeypatch.setattr("payproof.at_rest.redact.Redactor.redact", refuse)
    for name in ("a.log", "b.log", "c.log"):
        (tmp_path / name).write_bytes(LINES)
    told = list(search(read_specs([str(tmp_path)], {}), Options()))
    shown = [one.place.source for one in told if isinstance(one, Leak) and one.kind == "pan"]
    assert shown == [str(tmp_path / "a.log"), "[a name that cannot be masked]", str(tmp_path / "c.log")]


@pytest.mark.harness_fault
def test_what_is_wrong_with_our_own_search_costs_one_file(tmp_path, monkeypatch):
    """A fault of ours in one file is told with its place, and the others are searched."""

    def broken(path, *_):
        if path.name == "b.log":
            raise RecursionError
        return iter(())

    monkeypatch.setattr("payproof.at_rest.contents._search_name", lambda name, part, scanner: broken(Path(name)))
    for name in ("a.log", "b.log", "c.log"):
        (tmp_path / name).write_bytes(LINES)
    told = list(search(read_specs([str(tmp_path)], {}), Options()))
    assert [one.place.source[-5:] for one in told if isinstance(one, Leak) and one.kind == "pan"] == ["a.log", "c.log"]
    (unread,) = (one for one in told if isinstance(one, NotRead))
    assert unread.why.startswith("fault of the harness: RecursionError in test_trees.py:")
