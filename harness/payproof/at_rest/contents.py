"""Searches one stream or file, whatever is in it."""

import codecs
import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from payproof.at_rest.databases import search_tables
from payproof.at_rest.leaks import contain_errors, make_event, make_leak, suspect_columns
from payproof.at_rest.named_values import SievingScanner, scan_named
from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, NotRead, Place, SearchEvent, UnitSearched
from payproof.domain.tables import Column
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError
from payproof.files.archives import EntryRefused, FileEntry, read_entries
from payproof.files.columns import DUMP, PARQUET, SQLITE, Csv, Dump, is_named_csv
from payproof.files.lines import Lines
from payproof.files.open_file import open_file
from payproof.files.parquet import parquet_cells
from payproof.files.parts import parts_of
from payproof.files.streams import DamagedError, Stream, count_reads
from payproof.registry import table_sources
from payproof.scan.parallel import scan_parts

__all__ = ["search_file", "search_stream"]

_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"}
_MARKS |= {codecs.BOM_UTF16_BE: "utf-16"}  # in this order: one mark begins like another
_CHUNK = 1024 * 1024
_LARGE = 64 * 1024 * 1024  # a file that is worth cutting into parts

Progress = Callable[[int], None]


def search_stream(name: str, stream: Stream, scanner: SievingScanner, progress: Progress) -> Iterator[SearchEvent]:
    """Search what is in a stream, and in what is packed in it."""
    watched = count_reads(stream, lambda _: progress(0))
    yield from contain_errors(Place(name), _search_contents(name, read_entries(watched), scanner, progress))


def search_file(
    path: Path, scanner: SievingScanner, progress: Progress, executor: Callable[[int], Executor | None], jobs: int
) -> Iterator[SearchEvent]:
    """Search a file; a large one that is nothing but bytes, in parts by the executor for its size, where there is one.

    What goes wrong with it is reported as not read.
    """
    yield from contain_errors(Place(str(path)), _search_opened(path, scanner, progress, executor, jobs))


def _search_opened(
    path: Path, scanner: SievingScanner, progress: Progress, executor: Callable[[int], Executor | None], jobs: int
) -> Iterator[SearchEvent]:
    name = str(path)
    yield from _search_name(name, (), scanner)
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(512)
            file.seek(0)
            if head.startswith(SQLITE):
                yield from _search_sqlite(path, scanner, progress)
            elif head.startswith(PARQUET):
                yield from _search_parquet(name, file, scanner, progress)
            workers = executor(size) if size >= _LARGE and _is_plain(name, file) else None
            if workers is not None:
                yield from _search_parts(path, size, scanner, workers, jobs, progress)
            else:
                watched = _ReportingFile(file, progress)
                yield from _search_contents(name, read_entries(watched, watched, size), scanner, progress)
    except OSError as error:
        yield NotRead(Place(name), error.strerror or "cannot be read")


class _ReportingFile:
    """A file that reports each read, so that a search can be broken off where much is read and nothing comes of it."""

    def __init__(self, file: io.FileIO, progress: Progress) -> None:
        self._file, self._progress = file, progress
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int, /) -> bytes:
        self._progress(0)
        return self._file.read(size)


def _is_plain(name: str, file: BinaryIO) -> bool:
    """Whether a file is nothing but bytes to search."""
    try:
        (only,) = read_entries(file, file, 0)
        plain = isinstance(only, FileEntry) and not only.path and not _find_mark(only) and not is_named_csv(name)
    except ValueError:
        plain = False
    file.seek(0)
    return plain


def _search_contents(
    name: str, parts: Iterable[FileEntry | EntryRefused], scanner: SievingScanner, progress: Progress
) -> Iterator[SearchEvent]:
    size = 0
    for one in parts:
        if isinstance(one, EntryRefused):
            yield NotRead(Place(name, one.part), one.why)
            continue
        if one.part:
            yield from _search_name(name, one.part, scanner)
        lines = Lines()
        yield from _search_entry(name, one, lines, scanner, progress)
        size += lines.size
    yield UnitSearched(name, size)


def _search_entry(
    name: str, entry: FileEntry, lines: Lines, scanner: SievingScanner, progress: Progress
) -> Iterator[SearchEvent]:
    mark = _find_mark(entry)
    path = (*entry.path, mark) if mark else entry.path
    chunks: Iterable[bytes] = _report_progress(entry.chunks(), progress)
    chunks = lines.following(_transcode(chunks, mark) if mark else chunks)
    start = 0
    if entry.part and entry.stream.peek(len(SQLITE)).startswith((SQLITE, PARQUET)):
        yield NotRead(Place(name, entry.part, path=path), "a database in an archive is searched as bytes only")
    if is_named_csv((name, *entry.part)[-1]):
        table = Csv(chunks)
        cells = (((line, column), column, value) for line, column, value in table.cells())
        for (line, column), found in scan_named(scanner, cells):
            yield make_event(found, Place(name, entry.part, line, field=column, path=(*path, *found.path)))
        named = [Column("", column, "text") for column in table.header]
        yield from suspect_columns(Place(name, entry.part, 1, path=path), named, (), Confidence.MEDIUM)
        start, chunks = table.offset, table.rest()
    dump = Dump()
    if entry.stream.peek(len(DUMP)).startswith(DUMP):
        chunks = dump.following(chunks)
    for found in scanner.stream(chunks):
        line_and_column = lines.at(start + found.start)
        within = found.within if isinstance(found, Hit) else None
        place = Place(name, entry.part, *line_and_column, path=(*path, *found.path), within=within)
        yield make_event(found, place, lines.text_at(start + found.start))
    yield from _suspect_dump(dump, Place(name, entry.part, path=path))
    if entry.refused:
        yield NotRead(Place(name, entry.part, path=entry.path), entry.refused)


def _search_parts(
    path: Path, size: int, scanner: SievingScanner, workers: Executor, jobs: int, progress: Progress
) -> Iterator[SearchEvent]:
    def report_parts() -> Iterator[Any]:
        for part in parts_of(path, size):
            yield part
            progress(part.length)

    with open_file(path) as file:
        dump = Dump()
        if file.read(len(DUMP)) == DUMP:
            for _ in dump.following(iter(lambda: file.read(_CHUNK), b"")):
                pass
    yield from _suspect_dump(dump, Place(str(path)))
    found = list(scan_parts(workers, scanner, report_parts(), jobs + 1))
    lines = Lines()
    waiting = sorted(found, key=lambda one: one.start)
    with open_file(path) as file:
        chunks = lines.following(iter(lambda: file.read(_CHUNK), b""))
        for one in waiting:
            while lines.size <= one.start and next(chunks, b""):
                pass
            within = one.within if isinstance(one, Hit) else None
            yield make_event(one, Place(str(path), (), *lines.at(one.start), path=one.path, within=within))
    yield UnitSearched(str(path), size)


def _suspect_dump(dump: Dump, place: Place) -> Iterator[Leak]:
    for table in dict.fromkeys(table for table, _ in dump.columns):
        columns = [Column(table, name, "text") for of, name in dump.columns if of == table]
        yield from suspect_columns(replace(place, table=table), columns, (), Confidence.MEDIUM)


def _search_sqlite(path: Path, scanner: SievingScanner, progress: Progress) -> Iterator[SearchEvent]:
    """Search the rows of a database file: an integer is no text in its bytes."""
    try:
        tables = table_sources()["sqlite"](SourceSpec("file", f"sqlite:{path}"))
    except ConfigurationError as error:
        yield NotRead(Place(str(path)), str(error))
        return
    try:
        # Its bytes are read, and counted, all the same.
        events = search_tables(tables, scanner, at_least=Confidence.MEDIUM, progress=lambda *_: progress(0))
        yield from (one for one in events if not isinstance(one, UnitSearched))
    finally:
        tables.close()


def _search_parquet(name: str, file: BinaryIO, scanner: SievingScanner, progress: Progress) -> Iterator[SearchEvent]:
    problem = ""

    def read() -> Iterator[tuple[tuple[str, str], str, object]]:
        nonlocal problem
        try:
            for key, column, value in parquet_cells(file):
                yield (key, column), column, value
                progress(0)  # its bytes are read, and counted, all the same
        except DamagedError as error:  # here, so that what was read until then is searched
            problem = str(error)

    for (key, column), found in scan_named(scanner, read()):
        yield make_event(found, Place(name, field=column, key=key, path=found.path))
    if problem:
        yield NotRead(Place(name), problem)
    file.seek(0)


def _search_name(name: str, part: tuple[str, ...], scanner: SievingScanner) -> Iterator[Leak]:
    """Search a name: what stands in it is written, too."""
    text = part[-1] if part else Path(name).name
    for found in scanner.scan(text.encode("utf-8", "surrogateescape")):
        if isinstance(found, Hit):
            yield make_leak(found, Place(name, part, field="name"))


def _find_mark(entry: FileEntry) -> str:
    head = entry.stream.peek(4)
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), "")


def _transcode(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _report_progress(chunks: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        progress(len(chunk))
