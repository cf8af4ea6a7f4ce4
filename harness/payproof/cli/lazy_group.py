"""A group of commands whose modules are imported only when they are asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from payproof.cli.every_command import complete_command

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """Commands by name in a ``table`` of modules and the first sentences of their helps.

    In its module a command is an attribute of its own name, with underscores, or of that name and an underscore. What
    every command has, it gets here.
    """

    def __init__(self, *arguments: Any, table: Mapping[str, tuple[str, str]], **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self.table = table
        self._known: dict[str, click.Command] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's interface)
        """Return the names in alphabetical order."""
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's interface)
        """Import a command."""
        if cmd_name not in self.table:
            return None
        if cmd_name not in self._known:
            module = import_module(self.table[cmd_name][0])
            name = cmd_name.replace("-", "_")
            command: click.Command = getattr(module, name, None) or getattr(module, f"{name}_")
            self._known[cmd_name] = complete_command(command, cmd_name)
        return self._known[cmd_name]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click's)
        """Write the list of commands by the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name][1]) for name in sorted(self.table)])
