"""The command ``payproof calibrate``."""

from pathlib import Path

import click
import tomlkit

from payproof.cli.every_command import Seed, show_examples
from payproof.domain.verdict import ExitCode
from payproof.language import read_target
from payproof.reporters.phrasing import describe_calibration, one_line
from payproof.session import describe_differences, open_session, pin, pin_file, target_or_reference

__all__ = ["calibrate"]


@click.command(epilog=show_examples("payproof calibrate", "payproof calibrate --target staging.toml --write"))
@click.option("--target", type=click.Path(path_type=Path), help="Target file; without it as for payproof run.")
@click.option("--seed", type=Seed(), help="Repeat the calibration that had this seed.")
@click.option("--write", is_flag=True, help="Put what was learnt into the target file, in place of what it says.")
def calibrate(target: Path | None, seed: int | None, *, write: bool) -> int:
    """Deliver one genuine event of each type, and tell what the target does with it."""
    file = target_or_reference(target=target, reference=False)
    assert file is not None
    pinned = read_target(file)
    with open_session(file, seed=seed, operations=False, fuzzing=False, afresh=True) as session:
        session.require_acceptance()
        found = session.target
        for line in describe_calibration(session.make_header(0)):
            click.echo(line)
    differences = describe_differences(pinned, found)
    for line in differences:
        click.echo(one_line(line))
    if not found.calibration.handled:
        click.echo("nothing to pin: name a customer that the target knows in [subject]")
        return ExitCode.UNKNOWN
    if write:
        pin_file(file, found)
    if write:
        click.echo(f"{file} says so now: later runs hold the target to it")
    else:
        document = tomlkit.document()
        pin(document, found)
        click.echo(f"\n{tomlkit.dumps(document)}")
    return ExitCode.BROKEN if differences and not write else ExitCode.HELD
