"""The option ``--color``: for which output colours were chosen."""

from typing import Literal, get_args

import click

__all__ = ["Color", "chosen_color", "color_option"]

#: At a terminal unless NO_COLOR is set (with FORCE_COLOR elsewhere too, both as rich reads them), always, or never.
Color = Literal["auto", "always", "never"]

_CHOSEN = "payproof.color"  # of a context: shared by a command and its group


def color_option(variable: str | None = None) -> click.Option:
    """Return the option: the group has it with a ``variable``, and each command without one."""
    return click.Option(
        ["--color"],
        type=click.Choice(get_args(Color)),
        envvar=variable,
        show_envvar=True,
        expose_value=False,
        callback=_keep,
        help="Colours: at a terminal unless NO_COLOR is set (auto, as without it), always or never.",
    )


def chosen_color() -> Color:
    """Return what the running command was given, else its group, else the environment."""
    context = click.get_current_context(silent=True)
    chosen: Color = "auto" if context is None else context.meta.get(_CHOSEN, "auto")
    return chosen


def _keep(context: click.Context, _option: click.Parameter, chosen: Color | None) -> None:
    if chosen is not None:
        context.meta[_CHOSEN] = chosen
