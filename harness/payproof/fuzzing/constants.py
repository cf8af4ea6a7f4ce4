"""Keeps hypothesis from taking values out of the source of whoever runs it.

Since 6.131 it draws some values from the constants of all modules that are imported and not installed, such as those of
a user's own tests: made-up secrets of theirs would be sent to the target, and one seed would make other requests
wherever another module is imported.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

__all__ = ["without_local_constants"]

_REMEMBERED = 1024


@contextmanager
def without_local_constants() -> Iterator[None]:
    """Let hypothesis make up values by itself alone while this is open; other threads should not use it meanwhile."""
    found, cache = providers._get_local_constants, providers.CONSTANTS_CACHE  # noqa: SLF001 (there is no setting for it)
    providers._get_local_constants = Constants  # noqa: SLF001
    providers.CONSTANTS_CACHE = LRUCache(_REMEMBERED)
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = found, cache  # noqa: SLF001
