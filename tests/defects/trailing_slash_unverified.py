"""The router takes the path with a trailing slash too, the signature check knows the path without it only."""

from tests.defects._planting import fold_paths


def plant() -> None:
    fold_paths(lambda path: path.removesuffix("/"))
