"""The command ``payproof init``."""

import os
from pathlib import Path

import click

from payproof.cli.every_command import show_examples
from payproof.domain.verdict import ExitCode
from payproof.errors import ConfigurationError, InconclusiveError
from payproof.reporters.phrasing import describe_calibration, one_line
from payproof.session import FILE_NAME, Wishes, try_target_file, write_target_file

__all__ = ["init"]


@click.command(
    epilog=show_examples(
        "payproof init http://127.0.0.1:8000",
        "payproof init http://127.0.0.1:8000 --webhook /hook --store sqlite:app.db --log file:app.log",
    )
)
@click.argument("url")
@click.option("--webhook", default="", help="The webhook's URL or path, with its query; else it is looked for.")
@click.option(
    "--store", "stores", multiple=True, help="Its database: app.db, a URL, or a variable that holds one; repeatable."
)
@click.option("--log", "logs", multiple=True, help="Its log, such as app.log; repeatable.")
@click.option(
    "--project",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Folder of the service's project, where it is recognised by; the current one unless given.",
)
@click.option("--output", type=click.Path(path_type=Path), default=Path(FILE_NAME), show_default=True)
@click.option("--ca-file", help="PEM file of a private certificate authority.")
@click.option("--secret-env", default="STRIPE_WEBHOOK_SECRET", show_default=True, help="Variable with the secret.")
@click.option("--try/--no-try", "tries", default=True, help="Deliver genuine events, where the variable is set.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def init(
    url: str,
    webhook: str,
    stores: tuple[str, ...],
    logs: tuple[str, ...],
    project: Path,
    output: Path,
    ca_file: str | None,
    secret_env: str,
    *,
    tries: bool,
    force: bool,
) -> int:
    """Look at URL and write a commented target file with what was found; try it, where the secret is at hand."""
    if output.exists() and not force:
        raise ConfigurationError("there is a file already", hint="give --output or --force", file=output)
    ca_file = ca_file and str(Path(ca_file).absolute())
    wishes = Wishes(webhook, stores, logs, project, ca_file, secret_env)
    looked = write_target_file(url, output, wishes)
    for line in looked.lines:
        click.echo(one_line(line))
    named = "" if output == Path(FILE_NAME) else f" --target {output}"
    if not looked.is_found:
        click.echo(f"{output} written; put the webhook's path into it, then: payproof calibrate --write{named}")
        return ExitCode.HELD
    if not tries or not os.environ.get(secret_env):
        click.echo(f"{output} written; check it, set {secret_env}, then: payproof run{named}")
        return ExitCode.HELD
    click.echo(f"{output} written; trying it")
    try:
        header = try_target_file(output)
    except InconclusiveError as error:
        raise InconclusiveError(error.reason, f"{error.detail} (the file is written: mend it there)") from None
    for line in describe_calibration(header):
        click.echo(line)
    click.echo(f"check {output}, then: payproof run{named}")
    return ExitCode.HELD
