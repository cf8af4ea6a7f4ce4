"""The command ``payproof check-scenarios``."""

from collections.abc import Sequence
from pathlib import Path

import click

from payproof.cli.every_command import show_examples
from payproof.domain.verdict import ExitCode
from payproof.reporters.phrasing import one_line
from payproof.session import check_scenarios as check

__all__ = ["check_scenarios"]


@click.command("check-scenarios", epilog=show_examples("payproof check-scenarios billing-rules"))
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check_scenarios(folders: Sequence[Path]) -> int:
    """Judge scenarios of your own without a target: list those that are right, and every mistake in the others.

    Exit code 0 if all are right, 4 if not.
    """
    checked = check(folders)
    for scenario in checked.scenarios:
        click.echo(f"right  {scenario.id}: {len(scenario.cases)} cases, {scenario.severity}, {scenario.title}")
    for mistake in checked.mistakes:
        click.echo(one_line(str(mistake)), err=True)
    right, wrong = len(checked.scenarios), len(checked.mistakes)
    click.echo(f"{right} right, {wrong} mistake{'' if wrong == 1 else 's'}")
    return ExitCode.USAGE if checked.mistakes else ExitCode.HELD
