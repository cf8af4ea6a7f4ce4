"""Options of the commands that judge a run: what is accepted, what ends with code 1, and how much is told."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from payproof.domain.events import ProblemsFound, RunEvent
from payproof.errors import ConfigurationError
from payproof.language.waiver_file import KnownThing
from payproof.language.waiver_file import write_baseline as write_known
from payproof.reporters.console import Detail
from payproof.session import Terms, read_accepted

__all__ = ["BaselineWriter", "accept_problems", "choose_detail", "read_terms", "tell_much"]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)


def accept_problems(command: _Command) -> _Command:
    """Give a command the options by which an owner accepts problems."""
    for option in (
        click.option(
            "--fail-on",
            type=click.Choice(["new", "any"]),
            default="new",
            show_default=True,
            help="End with code 1 on new problems only, or on known and waived ones too.",
        ),
        click.option("--waivers", type=_FILE, help="Problems that their owners accept until a day: YAML or TOML."),
        click.option("--baseline", type=_FILE, help="Problems that were known before: told, and no failure."),
    ):
        command = option(command)
    return command


def tell_much(command: _Command) -> _Command:
    """Give a command the options by which more or less is told."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Tell one line for each problem, and how the run ended."),
        click.option("--verbose", "-v", is_flag=True, help="Tell every case, with what was sent and seen."),
    ):
        command = option(command)
    return command


def choose_detail(*, verbose: bool, quiet: bool) -> Detail:
    """Return how much the console tells.

    Raises:
        UsageError: both more and less are asked for.
    """
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet exclude each other.")
    return Detail.VERBOSE if verbose else Detail.QUIET if quiet else Detail.USUAL


def read_terms(
    baseline: Path | None,
    waivers: Path | None,
    fail_on: Literal["new", "any"],
    *,
    whole: bool = False,
    fail_fast: int | None = None,
) -> Terms:
    """Read what a run is judged by beside the rules.

    Raises:
        ConfigurationError: a file is not right.
    """
    return Terms(read_accepted(baseline, waivers), fail_on, whole, fail_fast)


class BaselineWriter:
    """Writes the problems of a whole run as a baseline; of a run that was cut short it writes nothing."""

    def __init__(self, path: Path) -> None:
        if path.is_dir() or not path.absolute().parent.is_dir():
            problem = "is a directory" if path.is_dir() else "no such directory"
            raise ConfigurationError(f"--write-baseline cannot be written: {problem}", file=path)
        self._path = path

    def handle(self, event: RunEvent) -> None:
        """Take one event."""
        if isinstance(event, ProblemsFound):
            self._path.write_text(write_known("problems", self._list(event)), encoding="utf-8")

    def close(self) -> None:
        """Do nothing: the file is written in one go."""

    def _list(self, found: ProblemsFound) -> Iterable[KnownThing]:
        for one in found.problems:
            problem = one.problem
            yield KnownThing(
                problem.fingerprint, len(problem.cases) or 1, problem.title, f"{problem.rule}: {problem.spot}"
            )
