"""Signatures are verified on the exact path only, while the router takes every form that a gateway would fold."""

import posixpath
import re
from urllib.parse import unquote

from tests.defects._planting import fold_paths


def plant() -> None:
    fold_paths(lambda path: posixpath.normpath(re.sub("/+", "/", unquote(path).lower())))
