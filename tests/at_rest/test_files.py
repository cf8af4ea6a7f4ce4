"""The search of files, whatever they are packed in and however they are damaged."""

import gzip
import io
import os
import sqlite3
import subprocess
import sys
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from payproof.at_rest import Options, read_specs, search
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, NotRead, UnitSearched
from payproof.files.columns import DUMP
from tests.at_rest.made import LINES, MASKED, PACKINGS, PAN, SECRET, tarred, zipped
from tests.components import need


def searched(*sources: object, **options: object) -> tuple[list[Leak], list[NotRead]]:
    """Search sources; return what was found and what was not read."""
    told = list(search(read_specs([str(one) for one in sources], os.environ), Options(**options)))
    assert PAN not in repr(told)
    assert SECRET not in repr(told)
    return [one for one in told if isinstance(one, Leak)], [one for one in told if isinstance(one, NotRead)]


def places(leaks: list[Leak]) -> set[tuple[str, int | None, int | None]]:
    """Return kinds with lines and columns."""
    return {(one.kind, one.place.line, one.place.column) for one in leaks}


FOUND = {("pan", 2, 22), ("stripe_secret", 3, 5)}


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_files_are_searched_to_line_and_column(tmp_path, packing):
    """What is in a packed file is found with its line, its column and the way to it."""
    (tmp_path / "file").write_bytes(PACKINGS[packing](LINES))
    leaks, unread = searched(tmp_path)
    assert (places(leaks), unread) == (FOUND, [])
    assert {one.place.path for one in leaks} == {(packing,)}
    assert {one.shown for one in leaks if one.kind == "pan"} == {MASKED}


@pytest.mark.parametrize("packings", list(product(PACKINGS, repeat=2)))
def test_packings_within_packings(tmp_path, packings):
    """Any packing in any other is searched."""
    data = LINES
    for packing in packings:
        data = PACKINGS[packing](data)
    (tmp_path / "file").write_bytes(data)
    leaks, unread = searched(tmp_path)
    assert (places(leaks), unread) == (FOUND, [])
    assert {one.place.path for one in leaks} == {tuple(reversed(packings))}


def test_archives_are_nested_to_depth_three(tmp_path):
    """Three archives within each other are read, the fourth is told as not read."""
    data = LINES
    for depth in range(1, 5):
        data = tarred(data, f"{depth}")
        (tmp_path / "file").write_bytes(data)
        leaks, unread = searched(tmp_path)
        assert (places(leaks) == FOUND, bool(unread)) == (depth < 4, depth == 4)


def test_real_programs_make_what_is_read(tmp_path):
    """Archives of tar, gzip and zstd are read as those of the libraries."""
    (tmp_path / "app.log").write_bytes(LINES)
    subprocess.run(["tar", "czf", "a.tgz", "app.log"], cwd=tmp_path, check=True)
    subprocess.run(["gzip", "-k", "app.log"], cwd=tmp_path, check=True)
    subprocess.run(["zstd", "-q", "-19", "--long=26", "app.log"], cwd=tmp_path, check=True)
    leaks, unread = searched(tmp_path)
    assert (len(leaks), unread) == (8, [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings(tmp_path, encoding):
    """Text of two or four bytes a character is found, with a byte order mark to the line."""
    (tmp_path / "file").write_bytes(LINES.decode().encode(encoding))
    leaks, _ = searched(tmp_path)
    assert {one.kind for one in leaks} == {"pan", "stripe_secret"}
    if encoding in {"utf-16", "utf-32"}:
        assert {one.place.line for one in leaks} == {2, 3}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_told_by_its_header(tmp_path, separator):
    """A value's column names it: a code that only the header tells is found, also where a field has several lines."""
    rows = [["id", "cvc", "note"], ["1", "123", '"two\nlines"'], ["2", "", PAN], ["3", "77", ""]]
    (tmp_path / "a.csv").write_text("\n".join(separator.join(row) for row in rows))
    leaks, unread = searched(tmp_path)
    assert [(one.kind, one.place.line, one.place.field) for one in leaks] == [
        ("cvc", 2, "cvc"),
        ("pan", 4, "note"),
        ("schema", 1, "cvc"),
    ]
    assert not unread


@pytest.mark.parametrize("packed", [False, True])
def test_columns_of_exported_tables_are_judged_by_their_names(tmp_path, packed):
    """A header of CSV, and what a dump's COPY names, are told where they could hold payment data, even if empty."""
    dump = (
        b"--\n-- PostgreSQL database dump\n--\n\n"
        + b"-- " * 100_000
        + b'\nCOPY public.cards (id, "cardNumber", cvc_check, cvc) FROM stdin;\n\\.\n'
        + b"COPY public.plans (id, name, last4) FROM stdin;\n1\tCOPY x (cvc) FROM stdin;\t1\n\\.\n"
    )
    files = {"a.csv": b"id,card_number,paid_at\n", "dump.sql": dump, "notes.sql": b"\nCOPY t (cvc) FROM stdin;\n"}
    for name, data in files.items():
        (tmp_path / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(data) if packed else data)
    leaks, unread = searched(tmp_path)
    assert [(one.kind, one.place.table, one.place.field) for one in leaks] == [
        ("schema", "", "card_number"),
        ("schema", "public.cards", "cardNumber"),
        ("schema", "public.cards", "cvc"),
    ]
    assert {one.confidence for one in leaks} == {Confidence.HIGH}
    assert not unread


def test_csv_that_is_none_is_searched_as_text(tmp_path):
    """Where rows end, or there is no header, the bytes are searched with their lines."""
    (tmp_path / "a.csv").write_bytes(LINES)
    (tmp_path / "b.csv").write_bytes(b'id,note\n1,x\n2,"' + b"x" * 3_000_000 + b"\n" + LINES)
    leaks, unread = searched(tmp_path)
    assert [(one.kind, one.place.line) for one in leaks] == [
        ("pan", 2), ("stripe_secret", 3), ("pan", 5), ("stripe_secret", 6)
    ]  # fmt: skip
    assert not unread


def test_json_lines_are_told_by_their_keys(tmp_path):
    """A number's key makes it sure, and another key unlikely."""
    (tmp_path / "a.jsonl").write_text(f'{{"card": {{"number": "{PAN}"}}}}\n{{"trace_id": {PAN}}}\n')
    leaks, _ = searched(tmp_path)
    assert [(one.place.line, one.name, one.confidence) for one in leaks] == [(1, "number", "high")]


def test_parquet_is_read_by_columns(tmp_path):
    """Integers, texts and nested values of a Parquet file are found with their rows and columns."""
    table = pa.table({"id": [1, 2], "num": [0, int(PAN)], "deep": [{"pan": PAN}, None]})
    parquet.write_table(table, tmp_path / "a.parquet", compression="snappy")
    leaks, unread = searched(tmp_path / "a.parquet")
    assert {(one.place.key, one.place.field) for one in leaks if one.place.field} >= {
        ("row 2", "num"),
        ("row 1", "deep"),
    }
    assert not unread


@pytest.fixture
def database(tmp_path):
    """A SQLite file with a number in two columns of one row, twice in one of them, and a column for codes."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, num INTEGER, text TEXT, cvc TEXT)")
        connection.execute("INSERT INTO t VALUES (1, ?, ?, NULL)", (int(PAN), f"card_number={PAN} and {PAN}"))
        connection.executemany("INSERT INTO t VALUES (?, 0, 'x', NULL)", [(number,) for number in range(2, 50)])
    return path


@pytest.mark.parametrize("options", [{}, {"rows": 10}])
@pytest.mark.parametrize("twice", ["folder", "link", "path"])
def test_database_that_is_given_twice_is_told_once(tmp_path, database, twice, options):
    """What a database's rows have told is not told again where the same file is found among the files."""
    given = {"folder": tmp_path, "path": database, "link": tmp_path / "link" / "y.db"}[twice]
    if twice == "link":
        given.parent.mkdir()
        given.symlink_to(database)
    alone, _ = searched(database)
    rows, _ = searched(f"sqlite:{database}")
    both, unread = searched(f"sqlite:{database}", given, **options)
    assert Counter(map(anywhere, both)) == Counter(map(anywhere, alone))
    assert len(alone) > len(rows) == 3
    assert unread == []


def test_database_that_is_given_in_two_ways_is_one_source(tmp_path, database, monkeypatch):
    """Two names of one database, or one address twice, are searched once; two databases that are alike twice."""
    monkeypatch.chdir(tmp_path)
    rows, _ = searched(f"sqlite:{database}")
    assert searched(f"sqlite:{database}", "sqlite:x.db", f"sqlite:{tmp_path}/./x.db")[0] == rows
    (tmp_path / "copy.db").write_bytes(database.read_bytes())
    assert len(searched(f"sqlite:{database}", "sqlite:copy.db")[0]) == 2 * len(rows)


def test_resumed_search_tells_a_database_once(tmp_path, database):
    """What was told of a database before a search was broken off is not told again of its file."""
    (tmp_path / "z.log").write_bytes(LINES)
    specs = read_specs([f"sqlite:{database}", str(tmp_path)], {})
    whole = [one for one in search(specs, Options()) if isinstance(one, Leak)]
    told = search(specs, Options(resume=tmp_path.parent / "resume"))
    while not isinstance(next(told), UnitSearched):
        pass
    next(told)  # only what is asked for after it is told writes it down
    told.close()
    again = [one for one in search(specs, Options(resume=tmp_path.parent / "resume")) if isinstance(one, Leak)]
    assert Counter(again) == Counter(whole)


def anywhere(leak: Leak) -> Leak:
    """Return a leak without the name by which its file was given."""
    return replace(leak, place=replace(leak.place, source=Path(leak.place.source).suffix))


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "zstd", "tar", "zip"])
def test_damaged_data_is_searched_as_far_as_it_goes(tmp_path, packing):
    """A packed file that is cut or garbled is told as not read; what stands before the damage is found."""
    # The same in each run: of random hexadecimal digits, some 15 MB hold what looks like a track 2 by chance.
    whole = PACKINGS[packing](LINES + Random(1).randbytes(300_000).hex().encode())
    (tmp_path / "cut").write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "good").write_bytes(LINES)
    leaks, unread = searched(tmp_path)
    assert {one.place.source.rpartition("/")[2] for one in unread} == {"cut"}
    assert places([one for one in leaks if one.place.source.endswith("good")]) == FOUND
    if packing in {"gzip", "xz", "zstd", "tar"}:
        assert places([one for one in leaks if one.place.source.endswith("cut")]) == FOUND


def test_lying_length_of_a_zip_entry(tmp_path):
    """An entry that is longer than its header says, or of another sum, is told as not read."""
    data = bytearray(zipped(LINES))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(data)
    _, unread = searched(tmp_path)
    assert unread


def test_encrypted_and_foreign_archives_are_told(tmp_path):
    """What is encrypted or packed in a way that is not read is told."""
    data = bytearray(zipped(LINES))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "b.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(100))
    _, unread = searched(tmp_path)
    assert [one.why for one in unread] == ["it is encrypted", "7z data is not read, only searched as it stands"]


BOMBS = {
    "gzip": lambda: gzip.compress(gzip.compress(bytes(280_000_000), 9), 9),
    "zstd": lambda: zstandard.ZstdCompressor().compress(bytes(280_000_000)),
    "zip": lambda: zipped(bytes(280_000_000)),
}


@pytest.mark.thorough
@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_costs_neither_memory_nor_the_rest(tmp_path, bomb):
    """Data that expands without end is told as not read, the rest is searched, and memory stays under 200 MB."""
    (tmp_path / "bomb").write_bytes(BOMBS[bomb]())
    (tmp_path / "good").write_bytes(LINES)
    # Not by getrusage, whose maximum begins with that of the process that forked this one.
    program = (
        "import sys; from pathlib import Path; from payproof.cli import _run\n"
        "code = _run(['scan', '--jobs', '1', sys.argv[1]])\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')), code)"
    )
    need("/proc", Path("/proc/self/status").exists())
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    memory, code = map(int, done.stdout.splitlines()[-1].split())
    assert code == 1
    assert "expands more than" in done.stdout
    assert memory < 200 * 1024, done.stdout


def test_what_is_no_file_is_told_and_loops_end(tmp_path):
    """Named pipes, loops, dangling links and what may not be read cost only themselves."""
    (tmp_path / "good").write_bytes(LINES)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "good")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    leaks, unread = searched(tmp_path)
    assert len(leaks) == 2
    assert {(Path(one.place.source).name, one.why) for one in unread} == {
        ("pipe", "it is a named pipe"),
        ("dangling", "No such file or directory"),
    }


def test_file_that_may_not_be_read(tmp_path, monkeypatch):
    """A file that vanishes or is refused when it is opened is told, and the next one is read."""
    (tmp_path / "a").write_bytes(LINES)
    (tmp_path / "b").write_bytes(LINES)
    opened = os.open

    def refusing(path, *more, **options):
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied")
        return opened(path, *more, **options)

    monkeypatch.setattr(os, "open", refusing)
    leaks, unread = searched(tmp_path)
    assert (len(leaks), [one.why for one in unread]) == (2, ["Permission denied"])


def test_large_file_is_searched_in_parts_alike(tmp_path):
    """An executor's parts give what one process gives, to the line and the column."""
    line = b"nothing of interest is in here, it is only a line of a log that is long\n"
    with (tmp_path / "big.log").open("wb") as file:
        file.write(DUMP + b"\nCOPY cards (cvc) FROM stdin;\n")
        for _ in range(3):
            file.write(line * (24 * 1024 * 1024 // len(line)))
            file.write(LINES)
    alone, _ = searched(tmp_path, jobs=1)
    with ThreadPoolExecutor(2) as executor:
        together, _ = searched(tmp_path, jobs=2, executor=executor)
    assert Counter(alone) == Counter(together)
    assert len(alone) == 7


@pytest.mark.thorough
def test_many_alike_are_counted(tmp_path):
    """Of a file full of numbers a thousand are told, and how many more there are."""
    (tmp_path / "a").write_bytes(b'{"card_number": "%s"}\n' % PAN.encode() * 1500)
    leaks, _ = searched(tmp_path)
    assert (len(leaks), sum(one.count for one in leaks)) == (1001, 1500)


def test_names_are_searched_and_concealed(tmp_path):
    """A card number in a file's name, or in that of an archive's entry, is found and shown masked."""
    (tmp_path / f"card {PAN}.txt").write_bytes(b"x")
    (tmp_path / "a.zip").write_bytes(zipped(b"x", f"card {PAN}.txt"))
    leaks, _ = searched(tmp_path)
    assert [one.place.field for one in leaks] == ["name", "name"]
    assert all(MASKED in str(one.place) for one in leaks)


def test_commands_and_standard_input(tmp_path, monkeypatch):
    """A command's output and standard input are searched; a command that fails is told as not read."""
    (tmp_path / "app.log").write_bytes(LINES)
    leaks, unread = searched(f"command:cat {tmp_path}/app.log")
    assert (places(leaks), unread) == (FOUND, [])
    _, unread = searched("command:false", "command:no-such-program-here")
    assert [one.why for one in unread] == ["it ended with status 1", "it cannot be started: No such file or directory"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LINES))))
    leaks, unread = searched("-")
    assert (places(leaks), unread) == (FOUND, [])


def test_patterns_name_files(tmp_path):
    """A pattern names files at any depth, each once."""
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "app.log").write_bytes(LINES)
    (tmp_path / "x" / "other").write_bytes(LINES)
    told = list(search(read_specs([f"file:{tmp_path}/**/*.log", f"{tmp_path}/x/y"], {}), Options()))
    assert [Path(one.unit).name for one in told if isinstance(one, UnitSearched)] == ["app.log"]


def test_zip_within_another_file_is_bounded(tmp_path):
    """A zip file within another file is read into memory up to a size only."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("noise", os.urandom(40 * 1024 * 1024))
    (tmp_path / "a.tar").write_bytes(tarred(made.getvalue(), "a.zip"))
    _, unread = searched(tmp_path)
    assert ["up to 32 MiB" in one.why for one in unread] == [True]
