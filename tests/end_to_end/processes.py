"""The command as a process to be watched and ended."""

import subprocess
import sys
from pathlib import Path

from tests.end_to_end.command import PAYPROOF, environment

__all__ = ["PROC", "begun", "children", "running"]

PROC = Path("/proc")


#: Ignores some signals and no others, then becomes a command.
_PREPARED = (
    "import os, signal, sys\n"
    "ignored = sys.argv[1].split()\n"
    "for name in ('SIGINT', 'SIGTERM', 'SIGHUP'):\n"
    "    signal.signal(signal.Signals[name], signal.SIG_IGN if name in ignored else signal.SIG_DFL)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def begun(*arguments, env=None, ignored=()):
    """Start the command as a terminal would: in a process group of its own, and with no signal ignored but these."""
    names = " ".join(number.name for number in ignored)
    return subprocess.Popen(
        [sys.executable, "-c", _PREPARED, names, PAYPROOF, *map(str, arguments)],
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
