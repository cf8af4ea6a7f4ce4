"""Runs commands one after the other, as `measured.py` asks for them, and tells what each cost. Run as a program.

A process of its own, because the kernel counts to a process what the one was that started it: children of pytest would
all have pytest's memory. And because it has imported the program once, its children need not.
"""

import atexit
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from payproof.cli import main

_PAUSE = 0.005


def _become(asked: dict) -> int:
    """Be the command that is asked for, in a session of its own; return its exit code."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    for number, (name, flags) in enumerate(
        ((asked["stdin"], os.O_RDONLY), (asked["out"], os.O_WRONLY), (asked["err"], os.O_WRONLY))
    ):
        file = os.open(name, flags | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    if asked["program"]:
        os.execv(asked["program"], [asked["program"], *asked["arguments"]])
    tempfile.tempdir = None
    try:
        main(asked["arguments"])
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        atexit._run_exitfuncs()
    return 0


def _child(asked: dict) -> None:
    code = 70
    try:
        code = _become(asked)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 (whatever it is must not go on in the fork)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ended(child: int, seconds: float) -> dict:
    """Wait for a process, end it when its time is over, and tell what it cost."""
    begun = time.monotonic()
    hung = False
    while True:
        found, status, used = os.wait4(child, os.WNOHANG)
        if found:
            break
        if not hung and time.monotonic() - begun > seconds:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(_PAUSE)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - begun,
        "peak": used.ru_maxrss / 1024,
        "hung": hung,
    }


def _tell(told: dict) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _serve() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are for what runs; this ends with its input
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _child(asked)
        _tell({"begun": child})
        _tell(_ended(child, asked["seconds"]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    _serve()
