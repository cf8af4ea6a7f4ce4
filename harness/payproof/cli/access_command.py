"""The command ``payproof access``."""

from collections.abc import Sequence
from pathlib import Path

import click

from payproof.cli.every_command import show_examples
from payproof.cli.scenario_options import OWN_SCENARIOS, found_folders
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError
from payproof.reporters.access_table import build_access_table
from payproof.session import read_run

__all__ = ["access"]


@click.command(
    epilog=show_examples(
        "payproof access run.jsonl",
    )
)
@click.argument("record", metavar="RUN.jsonl", type=click.Path(path_type=Path))
@OWN_SCENARIOS
def access(record: Path, own: Sequence[Path]) -> int:
    """Show as a table who may do which operation, by a run record: what is promised, and what came of it.

    Each cell tells what was answered to somebody who asked for an operation. What Stripe and the stores saw of it is
    told by the run's problems. Exit code 1: a cell is not as promised.
    """
    run = read_run(record, found_folders(own))
    table = build_access_table(run.header.contract, run.cases.values())
    if not table.cells:
        hint = "run scenarios of access_control on a target file with [operations] and [principals]"
        raise ConfigurationError("nobody has asked for an operation in it", hint=hint, file=record)
    for line in table.lines():
        click.echo(line)
    return ExitCode.HELD if table.is_as_promised else ExitCode.BROKEN
