"""The reference of the command line: what click knows of each command, as docs/command-line.md shows it."""

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from payproof.cli import cli

__all__ = ["PAGE", "commands", "examples_of", "written_reference"]

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
BEGIN = "<!-- what follows is written by `make command-line` -->\n"


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield each command with its name, and a context in which its help can be asked for."""
    group = click.Context(cli, info_name="payproof", **cli.context_settings)
    for name in cli.list_commands(group):
        command = cli.get_command(group, name)
        assert command is not None
        yield name, command, click.Context(command, info_name=name, parent=group)


def examples_of(command: click.Command) -> list[str]:
    """Return the examples that the end of a command's help shows."""
    return [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]


def written_reference() -> str:
    """Return the reference as Markdown: each command with its arguments, options, variables and examples."""
    parts = []
    for name, command, context in commands():
        usage = re.sub(r"^Usage: ", "", command.get_usage(context).replace("\n", " "))
        told = (
            re.sub(r"\s*\n\s*", " ", cleandoc(command.help or "").replace("\n\n", "\0")).replace("\0", "\n\n").strip()
        )
        rows = [_row(one, context) for one in command.params if isinstance(one, click.Option) and one.expose_value]
        table = ["", "| option | variable | meaning |", "| --- | --- | --- |", *rows] if rows else []
        shown = ["", "```console", *examples_of(command), "```"]
        parts.append("\n".join([f"## payproof {name}", "", f"`{re.sub(' +', ' ', usage)}`", "", told, *table, *shown]))
    return "\n\n".join(parts) + "\n"


def _row(option: click.Option, context: click.Context) -> str:
    names, _ = option.get_help_record(context) or ("", "")
    extra = option.get_help_extra(context)
    more = [f"default {extra['default']}"] if "default" in extra else []
    more += [str(extra[key]) for key in ("range", "required") if key in extra]
    meaning = (option.help or "") + (f" ({'; '.join(more)})" if more else "")
    variables = ", ".join(f"`{one}`" for one in extra.get("envvars", ()))
    cells = (f"`{names}`", variables, meaning)
    return "| " + " | ".join(one.replace("|", "\\|") for one in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(BEGIN)[0] + BEGIN + "\n" + written_reference())
