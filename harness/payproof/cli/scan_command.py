"""The command ``payproof scan``: thin; it asks for a search, has it judged and reported, and looks at what it shows."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.status import Status

from payproof.at_rest import (
    Changes,
    Options,
    Progress,
    SourceSpecs,
    conceal,
    judge_leaks,
    read_specs,
    search,
)
from payproof.cli.console import open_console, tell_slow_search
from payproof.cli.every_command import show_examples
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, SearchEvent
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError
from payproof.language.waiver_file import KnownThing, read_baseline, read_waivers
from payproof.language.waiver_file import write_baseline as write_known
from payproof.reporters.phrasing import one_line
from payproof.reporters.scan import FORMATS
from payproof.scan.kernel import loops

__all__ = ["scan"]

_WIDE = 160  # columns, where there is no terminal
_CONFIDENCES = [one.value for one in Confidence]


@click.command(
    epilog=show_examples(
        "payproof scan /var/log/billing 'sqlite:billing.db'",
        "payproof scan . --exclude node_modules --format sarif --output scan.sarif",
        "payproof scan --staged",
    )
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="table", show_default=True, help="Of the report."
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report here, not to standard output.")
@click.option(
    "--at-least",
    type=click.Choice(_CONFIDENCES),
    help="Confidence that counts; without it medium in databases, high in files, where medium is listed.",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="What this file knows is no new finding.")
@click.option("--write-baseline", type=click.Path(path_type=Path), help="Write what was found as a baseline.")
@click.option("--waivers", type=click.Path(path_type=Path), help="YAML or TOML file of what is accepted, and why.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what this names below a folder, as in .gitignore; several are possible.",
)
@click.option(
    "--ignore/--no-ignore",
    "by_git",
    default=True,
    help="Leave out what git ignores in a work tree, and .git itself (the usual), or search it too.",
)
@click.option("--staged", is_flag=True, help="Search what is staged for a commit, of all or the given paths.")
@click.option("--diff", metavar="BASE", help="Search what came since BASE and this branch parted, committed or not.")
@click.option("--sample", type=click.IntRange(1), metavar="ROWS", help="At most so many rows of each table.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes for large files; without it, one for each core.")
@click.option("--resume", type=click.Path(path_type=Path), help="Remember in this file what is done, and go on there.")
def scan(
    sources: Sequence[str],
    form: str,
    output: Path | None,
    at_least: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    waivers: Path | None,
    exclude: tuple[str, ...],
    sample: int | None,
    jobs: int | None,
    resume: Path | None,
    diff: str | None,
    *,
    by_git: bool,
    staged: bool,
) -> int:
    """Search files, streams and databases for payment data and secrets. No target file.

    SOURCE is a path or pattern (file:PATTERN), - for standard input, sqlite:FILE, postgresql://..., mysql://...,
    redis://..., docker:CONTAINER, command:COMMAND, or env:NAME for a URL with a password in a variable. Archives and
    compressed files are looked into. With --staged or --diff only what the changes of this repository add is searched,
    and a SOURCE is a path in it. Exit code 0: nothing new; 1: a new finding; 3: something could not be read.
    """
    accepted = read_waivers(waivers) if waivers else ()
    known = read_baseline(baseline, "leaks") if baseline else None
    for path in (output, write_baseline):
        _check_writable(path)
    sure = Confidence(at_least) if at_least else None
    specs = _read_changes(sources, diff, resume, staged=staged) or read_specs(sources, os.environ)
    tell_slow_search()
    events: list[SearchEvent] = []
    interrupted = False
    with _show_progress() as progress:
        options = Options(
            sure or Confidence.MEDIUM,
            sample,
            jobs or os.cpu_count() or 1,
            None,
            resume,
            progress,
            exclude,
            by_git=by_git,
        )
        try:
            events.extend(search(specs, options))
        except KeyboardInterrupt:
            interrupted = True
    today = datetime.now(UTC).date()
    report = judge_leaks(events, at_least=sure, waivers=accepted, known=known, today=today, interrupted=interrupted)
    terminal = open_console()
    width = terminal.width if terminal.is_terminal and output is None else _WIDE
    text = conceal(FORMATS[form](report, width))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
    if write_baseline is not None and not interrupted:
        found = [one for one in events if isinstance(one, Leak)]
        known_leaks = (KnownThing(one.fingerprint, one.count, one.what, str(one.place)) for one in found)
        write_baseline.write_text(conceal(write_known("leaks", known_leaks)), encoding="utf-8")
        return ExitCode.UNKNOWN if report.unread else ExitCode.HELD
    return report.exit_code


def _read_changes(sources: Sequence[str], diff: str | None, resume: Path | None, *, staged: bool) -> SourceSpecs | None:
    """Return the changes to search, or None where sources are named as such."""
    if diff is None and not staged:
        if not sources:
            raise click.UsageError("Missing argument 'SOURCE...'.")
        return None
    if staged and diff is not None:
        raise click.UsageError("--staged and --diff are two searches.")
    if resume is not None:
        raise click.UsageError("--resume is for searches of sources: changes are soon searched.")
    if diff is not None and (not diff or diff.startswith("-")):
        raise click.UsageError(f"--diff takes a revision, such as origin/main, not {diff!r}.")
    return SourceSpecs(changes=Changes(diff or "", tuple(sources)))


def _check_writable(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK)):
        problem = "is a directory" if path.is_dir() else "no such directory, or no right to write there"
        raise ConfigurationError(f"cannot be written: {problem}", file=path)


@contextmanager
def _show_progress() -> Iterator[Progress]:
    """Yield what shows progress with its rate on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _unit, _size, _of, _sort: None
        return
    begun = time.monotonic()
    shown = 0.0
    done: dict[str, int] = {"bytes": 0, "rows": 0}
    latest: dict[str, int] = {}
    with open_console(stderr=True).status("") as status:

        def progress(unit: str, size: int, of: int | None, sort: str) -> None:
            nonlocal shown
            done[sort] += size - latest.get(unit, 0)
            latest.clear()
            latest[unit] = size
            now = time.monotonic()
            if now - shown > 0.1:  # noqa: PLR2004 (seconds)
                shown = now
                _update(status, unit, size, of, sort, done[sort] / max(now - begun, 0.001))

        yield progress


def _update(status: Status, unit: str, size: int, of: int | None, sort: str, rate: float) -> None:
    share = f" of about {of:,}" if of else ""
    events = f"{size / 1e6:,.0f} MB" if sort == "bytes" else f"{size:,}{share} rows"
    speed = f"{rate / 1e6:,.0f} MB/s" if sort == "bytes" else f"{rate:,.0f} rows/s"
    way = "" if loops() else " (the loops are not compiled)"
    status.update(f"{escape(one_line(conceal(unit)))}: {events}, {speed}{way}")
