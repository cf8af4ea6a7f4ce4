"""Which scenarios a command knows beside those of Payproof."""

from collections.abc import Sequence
from pathlib import Path

import click

from payproof.session import find_target, scenario_folders

__all__ = ["OWN_SCENARIOS", "found_folders"]

OWN_SCENARIOS = click.option(
    "--scenarios",
    "own",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    envvar="PAYPROOF_SCENARIOS",
    help="Folder of scenarios of your own, beside those that the target file names.",
)


def found_folders(own: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders that a command names, and those of the target file that is found where it is started."""
    return scenario_folders(own, find_target(Path()))
