"""What the commands write to: the terminal, a file or a CI log; and standard error."""

from typing import Any, assert_never

import click
from rich.console import Console

from payproof.cli.color import chosen_color
from payproof.scan.kernel import unusable

__all__ = ["open_console", "tell_slow_search", "wide_console"]

_WIDE = 140  # columns, where there is no terminal


def open_console(**how: Any) -> Console:
    """Return a console with the colours that were chosen; ``how`` is rich's."""
    match color := chosen_color():
        case "auto":
            return Console(**how)
        case "always":
            # Not as if it were a terminal: what moves the cursor has no place in a file.
            at_terminal = Console(**how).is_terminal
            return Console(color_system="auto" if at_terminal else "standard", no_color=False, **how)
        case "never":
            return Console(color_system=None, **how)
        case _:
            assert_never(color)


def wide_console(*, record: bool = False) -> Console:
    """Return a console as wide as the terminal; in a file or a CI log as wide as the tables like."""
    console = open_console(record=record)
    return console if console.is_terminal else open_console(record=record, width=_WIDE)


def tell_slow_search() -> None:
    """Say on standard error that the compiled search is there and cannot be used, and why, where that is so."""
    if why := unusable():
        click.echo(f"payproof: {why}; what NumPy does in its place finds the same, more slowly", err=True)
