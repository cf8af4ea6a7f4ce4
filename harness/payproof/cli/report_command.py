"""The command ``payproof report``."""

import os
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import click

from payproof.cli.scenario_options import OWN_SCENARIOS, found_folders
from payproof.errors import ConfigurationError
from payproof.reporters import RECORDED_FORMATS, REPORT_SUFFIXES
from payproof.session import rejudge

__all__ = ["report"]


@click.command()
@click.argument("record", metavar="RUN.jsonl", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(RECORDED_FORMATS)),
    help="What to write; without it as the name of the output ends.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; without it the standard output."
)
@OWN_SCENARIOS
def report(record: Path, form: str | None, output: Path | None, own: Sequence[Path]) -> None:
    """Tell a run record (--report FILE.jsonl) again: as a page, as SARIF, JUnit, Markdown, JSON lines or metrics.

    It judges the record with the checks of this version, as `payproof judge` does, and sends nothing. The exit code is
    0 once the report is written, whatever it tells.
    """
    form = form or _guess_format(output)
    text = _Text()
    reporter = RECORDED_FORMATS[form](text)
    for event in rejudge(record, found_folders(own)):
        reporter.handle(event)
    reporter.close()
    if output is None:
        click.echo(text.whole, nl=False)
    else:
        _write(output, text.whole)


def _guess_format(output: Path | None) -> str:
    for suffix, name in REPORT_SUFFIXES.items():
        if output is not None and output.name.endswith(suffix):
            return name
    hint = f"--format is one of {', '.join(sorted(RECORDED_FORMATS))}"
    raise ConfigurationError("no format is named, and none follows from the name of the output", hint=hint)


def _write(output: Path, text: str) -> None:
    """Write a report at once, so that whoever reads its file, such as a collector of metrics, never reads a part."""
    output = output.resolve()
    fresh = output.with_name(f".{output.name}.{os.getpid()}.new")
    try:
        if output.exists() and not output.is_file():  # a pipe, a terminal
            output.write_text(text, encoding="utf-8")
            return
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(output)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ConfigurationError(f"the report cannot be written: {error.strerror}", file=output) from None


class _Text(StringIO):
    """Keeps what was written when it is closed."""

    whole = ""

    def close(self) -> None:
        self.whole = self.getvalue()
        super().close()
