"""What the commands write to: the terminal, a file or a CI log; and standard error."""

import click
from rich.console import Console

from payproof.scan.kernel import unusable

__all__ = ["tell_slow_search", "wide_console"]

_WIDE = 140  # columns, where there is no terminal


def wide_console(*, record: bool = False) -> Console:
    """Return a console as wide as the terminal; in a file or a CI log as wide as the tables like."""
    console = Console(record=record)
    return console if console.is_terminal else Console(record=record, width=_WIDE)


def tell_slow_search() -> None:
    """Say on standard error that the compiled search is there and cannot be used, and why, where that is so."""
    if why := unusable():
        click.echo(f"payproof: {why}; what NumPy does in its place finds the same, more slowly", err=True)
