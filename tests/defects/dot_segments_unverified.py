"""The gateway resolves dot segments after the signature check has looked for the exact path."""

import posixpath

from tests.defects._planting import fold_paths


def plant() -> None:
    fold_paths(posixpath.normpath)
