"""The command ``payproof init``."""

from pathlib import Path

import click

from payproof.errors import ConfigurationError
from payproof.session import FILE_NAME, describe_target

__all__ = ["init"]


@click.command()
@click.argument("url")
@click.option("--output", type=click.Path(path_type=Path), default=Path(FILE_NAME), show_default=True)
@click.option("--ca-file", help="PEM file of a private certificate authority.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def init(url: str, output: Path, ca_file: str | None, *, force: bool) -> None:
    """Look at URL and write a commented target file with what was found."""
    if output.exists() and not force:
        raise ConfigurationError("there is a file already", hint="give --output or --force", file=output)
    text = describe_target(url, ca_file=ca_file and str(Path(ca_file).absolute()))
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", file=output) from None
    named = "" if output == Path(FILE_NAME) else f" --target {output}"
    click.echo(f"{output} written; check it, set the secret's variable, then: payproof run{named}")
