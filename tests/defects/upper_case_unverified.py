"""The router takes the path in upper case too, the signature check knows it in lower case only."""

from tests.defects._planting import fold_paths


def plant() -> None:
    fold_paths(str.lower)
