"""The gateway merges slashes, as nginx does, after the signature check has looked for the exact path."""

import re

from tests.defects._planting import fold_paths


def plant() -> None:
    fold_paths(lambda path: re.sub("/+", "/", path))
