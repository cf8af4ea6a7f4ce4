from rich.console import Console

__all__ = ["wide_console"]

_WIDE = 140  # columns, where there is no terminal


def wide_console(*, record: bool = False) -> Console:
    """Return a console as wide as the terminal; in a file or a CI log as wide as the tables like."""
    console = Console(record=record)
    return console if console.is_terminal else Console(record=record, width=_WIDE)
