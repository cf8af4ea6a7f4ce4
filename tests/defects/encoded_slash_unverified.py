"""The signature check compares the path as sent, the router the decoded one."""

from urllib.parse import unquote

from tests.defects._planting import fold_paths


def plant() -> None:
    fold_paths(unquote)
