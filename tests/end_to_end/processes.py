"""The command as a process to be watched and ended."""

import subprocess
from pathlib import Path

from tests.end_to_end.command import PAYPROOF, environment

__all__ = ["PROC", "begun", "children", "running"]

PROC = Path("/proc")


def begun(*arguments, env=None):
    """Start the command as a terminal would: in a process group of its own."""
    return subprocess.Popen(
        [PAYPROOF, *map(str, arguments)],
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def children(process):
    """Return the processes that a process has started."""
    try:
        return [int(one) for one in (PROC / f"{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def running(process):
    """Whether a process is there and no zombie that waits for its parent."""
    try:
        return (PROC / f"{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
