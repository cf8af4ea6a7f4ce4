"""Searches all that a command line names, one unit (a file, a stream, a table) after the other."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from payproof.at_rest.changes import search_changes
from payproof.at_rest.commands import search_container, search_output
from payproof.at_rest.contents import search_file, search_stream
from payproof.at_rest.databases import search_tables
from payproof.at_rest.dedupe import Dedupe
from payproof.at_rest.leaks import limit_alike
from payproof.at_rest.named_values import SievingScanner
from payproof.at_rest.redact import Redactor
from payproof.at_rest.resume import Resume
from payproof.at_rest.specs import SourceSpecs
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, LeftOut, NotRead, Place, SearchEvent, UnitSearched
from payproof.domain.tables import Tables
from payproof.domain.target import SourceSpec
from payproof.errors import PayproofError
from payproof.files.ignored import IgnoredPaths
from payproof.files.walk import find_files
from payproof.registry import detectors_at_rest, table_sources

__all__ = ["Options", "Progress", "search"]

#: Called with a unit, how much of it was read, about how much there is, and of what (``bytes`` or ``rows``).
Progress = Callable[[str, int, int | None, str], None]

_STDIN = "-"
_UNSHOWN = "[a name that cannot be masked]"
_WORTH_PROCESSES = 512 * 1024 * 1024  # bytes; a process takes more than a second to start


def _ignore_progress(_unit: str, _size: int, _of: int | None, _sort: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    """How to search.

    ``at_least`` is the confidence from which on leaks are reported; ``rows`` how many rows of a table are read, if not
    all; ``jobs`` how many processes search a large file; ``executor`` does it instead of such processes;
    ``resume`` is a file that remembers what is done. ``exclude`` are patterns as in a ``.gitignore`` of what is not
    searched below a folder; with ``by_git`` neither is what git ignores.
    """

    at_least: Confidence = Confidence.MEDIUM
    rows: int | None = None
    jobs: int = 1
    executor: Executor | None = None
    resume: Path | None = None
    progress: Progress = field(default=_ignore_progress)
    exclude: tuple[str, ...] = ()
    by_git: bool = True


def search(specs: SourceSpecs, options: Options) -> Iterator[SearchEvent]:
    """Search everything; events show nothing sensitive, not in names and keys either.

    Raises:
        ConfigurationError: a database cannot be reached, the file to go on from cannot be used, a pattern is none, or
            git cannot tell the changes.
    """
    with ExitStack() as stack:
        running = _Run(options, stack)
        ignored = [IgnoredPaths(path, options.exclude, by_git=options.by_git) for path in specs.paths]
        databases = [stack.enter_context(closing(_open_tables(spec))) for spec in specs.databases]
        resume = Resume(options.resume, _describe_settings(specs, options))
        complete = False
        try:
            for event in resume.read_events():
                running.dedupe.remember(event.place.source if not isinstance(event, UnitSearched) else "", event)
                yield event
            unit: list[SearchEvent] = []
            for one in running.search_all(specs, databases, ignored, resume.knows):
                shown = running.redact_event(one)
                yield shown
                if isinstance(one, LeftOut):
                    continue  # it is found again, and is of no unit
                unit.append(shown)
                if isinstance(one, UnitSearched):
                    resume.add(one.unit, unit)
                    unit = []
            complete = True
        finally:
            resume.close(complete=complete)


class _Run:
    def __init__(self, options: Options, stack: ExitStack) -> None:
        detectors = detectors_at_rest()
        self._options, self._stack = options, stack
        self._scanner, self._redactor = SievingScanner(detectors, options.at_least), Redactor(detectors)
        self._executor = options.executor
        self.dedupe = Dedupe()

    def search_all(
        self,
        specs: SourceSpecs,
        databases: Sequence[Tables],
        ignored: Sequence[IgnoredPaths],
        knows: Callable[[str], bool],
    ) -> Iterator[SearchEvent]:
        yield from self._search_databases(databases, knows)
        for name, events in self._list_streams(specs):
            if name == _STDIN or not knows(name):  # standard input may be another one each time
                yield from limit_alike(events)
        if specs.changes is not None:
            yield from search_changes(specs.changes, self._options.exclude, self._scanner, self._report_bytes)
        yield from self._search_files(specs, ignored, knows)

    def _search_databases(self, databases: Sequence[Tables], knows: Callable[[str], bool]) -> Iterator[SearchEvent]:
        for tables in databases:
            found_in_rows = search_tables(
                tables,
                self._scanner,
                at_least=max(self._options.at_least, Confidence.MEDIUM, key=lambda one: one.rank),
                most=self._options.rows,
                skipped=knows,
                progress=lambda unit, rows, of: self._options.progress(unit, rows, of, "rows"),
            )
            for one in limit_alike(found_in_rows):
                self.dedupe.remember(tables.name, self.redact_event(one))
                yield one

    def _search_files(
        self, specs: SourceSpecs, ignored: Sequence[IgnoredPaths], knows: Callable[[str], bool]
    ) -> Iterator[SearchEvent]:
        seen: set[tuple[int, int]] = set()
        for path, left_out in zip(specs.paths, ignored, strict=True):
            for file, problem in find_files(path, seen, left_out.leaves_out):
                if problem and file != path and _is_link_of_code(file, left_out):
                    continue
                if problem:
                    yield NotRead(Place(str(file)), problem)
                elif not knows(str(file)):
                    events = search_file(
                        file, self._scanner, self._report_bytes(str(file)), self._start_workers, self._options.jobs
                    )
                    # Redacted first, as the events of a resumed search are.
                    shown = map(self.redact_event, _of_tree(left_out.name_in_tree(file), limit_alike(events)))
                    yield from self.dedupe.drop_known(file, shown)
            if left_out.count:
                yield LeftOut(Place(str(path)), left_out.count)

    def _list_streams(self, specs: SourceSpecs) -> Iterator[tuple[str, Iterator[SearchEvent]]]:
        """Yield names with what searches them, which does nothing until it is asked."""
        for name, command in specs.commands.items():
            yield name, search_output(name, command, self._scanner, self._report_bytes(name))
        for name, container in specs.containers.items():
            yield name, search_container(name, container, self._scanner, self._report_bytes(name))
        if specs.stdin:
            yield _STDIN, search_stream(_STDIN, sys.stdin.buffer, self._scanner, self._report_bytes(_STDIN))

    def redact_event(self, event: SearchEvent) -> SearchEvent:
        """Return an event without what is sensitive in names and keys."""
        redact = self._redact_text
        if isinstance(event, UnitSearched):
            return replace(event, unit=redact(event.unit))
        place = event.place
        place = replace(
            place,
            source=redact(place.source),
            part=tuple(map(redact, place.part)),
            table=redact(place.table),
            field=redact(place.field),
            key=redact(place.key),
        )
        if isinstance(event, NotRead):
            return NotRead(place, redact(event.why))
        if isinstance(event, LeftOut):
            return replace(event, place=place)
        return replace(event, place=place, name=redact(event.name), in_tree=redact(event.in_tree))

    def _redact_text(self, name: str) -> str:
        try:
            return self._redactor.redact(name)
        except PayproofError:  # one name may not end the search
            return _UNSHOWN

    def _report_bytes(self, unit: str) -> Callable[[int], None]:
        read = 0

        def progress(size: int) -> None:
            nonlocal read
            read += size
            self._options.progress(unit, read, None, "bytes")

        return progress

    def _start_workers(self, size: int) -> Executor | None:
        """Return what searches a file of so many bytes in parts: processes of our own once they are worth it."""
        if self._executor is None and self._options.jobs > 1 and size >= _WORTH_PROCESSES:
            # Not forked: whoever uses this as a library may have threads.
            context: Any = multiprocessing.get_context("spawn")
            self._executor = self._stack.enter_context(ProcessPoolExecutor(self._options.jobs, mp_context=context))
        return self._executor


def _is_link_of_code(file: Path, ignored: IgnoredPaths) -> bool:
    """Whether a file is a link to nowhere in code, which leads to what only some machines have."""
    return file.is_symlink() and not file.exists() and bool(ignored.name_in_tree(file))


def _of_tree(name: str, events: Iterator[SearchEvent]) -> Iterator[SearchEvent]:
    """Yield the events of a file with the name that it has in a work tree, where it is in one."""
    return (replace(one, in_tree=name) if name and isinstance(one, Leak) else one for one in events)


def _open_tables(spec: SourceSpec) -> Tables:
    return table_sources()[spec.url.partition(":")[0]](spec)


def _describe_settings(specs: SourceSpecs, options: Options) -> dict[str, Any]:
    named = [*(spec.url for spec in specs.databases), *specs.commands, *specs.containers, *map(str, specs.paths)]
    digest = blake2b("\0".join(named).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    left_out = {"exclude": list(options.exclude), "by_git": options.by_git}
    return {"sources": digest, "at_least": options.at_least.value, "rows": options.rows, **left_out}
