"""What every command has: the option --color, an environment variable for each option, and examples in its help."""

from collections.abc import Sequence

import click

from payproof.cli.color import color_option

__all__ = ["Seed", "complete_command", "show_examples", "variables_of"]

_NUMBERS = (type(click.INT), type(click.FLOAT))


class Seed(click.IntRange):
    """A number that repeats what was made up: 64 bits, which a help text tells in few digits."""

    def __init__(self) -> None:
        super().__init__(0, 2**64 - 1)

    def _describe_range(self) -> str:
        return "0<=x<2**64"


def show_examples(*examples: str) -> str:
    """Return the end of a command's help: examples that can be pasted, a line each."""
    return "\n".join(["\b", "Example:" if len(examples) == 1 else "Examples:", *(f"  {one}" for one in examples)])


def variables_of(command: click.Command, name: str) -> dict[str, str]:
    """Return each option of a command with the environment variable that is its own."""
    return {
        option.opts[0]: "_".join(("PAYPROOF", name, option.opts[0].removeprefix("--"))).replace("-", "_").upper()
        for option in command.params
        if isinstance(option, click.Option) and option.expose_value
    }


def complete_command(command: click.Command, name: str) -> click.Command:
    """Give a command what every command has.

    The command line counts more than an option's own variable, such as PAYPROOF_RUN_SEED, and that more than one that
    several commands share.
    """
    own = variables_of(command, name)
    for option in command.params:
        if isinstance(option, click.Option) and option.opts[0] in own:
            shared: Sequence[str] = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
            option.envvar, option.show_envvar = [own[option.opts[0]], *shared], True
            if option.metavar is None and isinstance(option.type, _NUMBERS):
                option.metavar = "N"  # not INTEGER RANGE: the range is told beside
    command.params.append(color_option())
    return command
