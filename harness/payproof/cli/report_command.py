"""The command ``payproof report``."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Literal

import click

from payproof.cli.every_command import show_examples
from payproof.cli.judging_options import accept_problems, read_terms
from payproof.cli.scenario_options import OWN_SCENARIOS, found_folders
from payproof.errors import ConfigurationError
from payproof.reporters import RECORDED_FORMATS, REPORT_SUFFIXES
from payproof.session import rejudge, write_beside

__all__ = ["report"]


@click.command(
    epilog=show_examples(
        "payproof report run.jsonl --output report.html",
        "payproof report run.jsonl --output payproof.sarif --baseline known.json",
        "payproof report run.jsonl --format markdown",
    )
)
@click.argument("record", metavar="RUN.jsonl", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(RECORDED_FORMATS)),
    help="What to write; without it as the name of the output ends.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write it here, not to standard output.")
@OWN_SCENARIOS
@accept_problems
def report(
    record: Path,
    form: str | None,
    output: Path | None,
    own: Sequence[Path],
    baseline: Path | None,
    waivers: Path | None,
    fail_on: Literal["new", "any"],
) -> None:
    """Tell a run record (--report FILE.jsonl) again: as a page, as SARIF, JUnit, Markdown, JSON lines or metrics.

    It judges the record with the checks of this version, as `payproof judge` does, and sends nothing. The exit code is
    0 once the report is written, whatever it tells.
    """
    form = form or _guess_format(output)
    terms = read_terms(baseline, waivers, fail_on)
    text = _KeptText()
    reporter = RECORDED_FORMATS[form](text)
    for event in rejudge(record, found_folders(own), terms):
        reporter.handle(event)
    reporter.close()
    if output is None:
        click.echo(text.whole, nl=False)
    elif output.exists() and not output.is_file():  # a pipe, or a terminal
        output.write_text(text.whole, encoding="utf-8")
    else:
        # At once: whoever reads the file, such as a collector of metrics, never reads a part of it.
        write_beside(output, text.whole)


def _guess_format(output: Path | None) -> str:
    for suffix, name in REPORT_SUFFIXES.items():
        if output is not None and output.name.endswith(suffix):
            return name
    hint = f"--format is one of {', '.join(sorted(RECORDED_FORMATS))}"
    raise ConfigurationError("no format is named, and none follows from the name of the output", hint=hint)


class _KeptText(StringIO):
    """Keeps what was written when it is closed."""

    whole = ""

    def close(self) -> None:
        self.whole = self.getvalue()
        super().close()
