"""The process that runs an instance of the target and ends it: ``python -m payproof.adapters.instance_process``.

The first line of its standard input is JSON: the command, its folder and its environment. At another line it kills the
instance, as a machine that loses power does, with all that this has started. When the input ends, which happens on
every system when the process that started it is gone, it ends the instance in good order.
When the instance ends by itself, it says so on one line. Signals do not end it, so that nothing is left running.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Thread

__all__ = ["main"]

_STOP_SECONDS = 5.0


def main() -> int:
    """Run an instance until the input ends; what it says goes to standard error."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A handler, as the instance would inherit that a signal is ignored.
        signal.signal(number, lambda *_: None)
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        instance = subprocess.Popen(  # noqa: S603 (what the target file says)
            asked["command"],
            stdin=subprocess.PIPE,  # left open: some programs end with their input
            stdout=sys.stderr,
            stderr=sys.stderr,
            cwd=asked["folder"],
            env=asked["environment"],
            start_new_session=True,
        )
    except OSError as error:
        _tell(problem=f"{asked['command'][0]} cannot be started: {error.strerror}")
        return 1
    Thread(target=lambda: _tell(status=instance.wait()), daemon=True).start()
    while sys.stdin.buffer.readline():
        _kill(instance)
    _stop(instance)
    return 0


def _tell(**what: object) -> None:
    with suppress(OSError):
        print(json.dumps(what), flush=True)  # noqa: T201 (what the other process waits for)


def _stop(instance: subprocess.Popen[bytes]) -> None:
    assert instance.stdin is not None
    with suppress(OSError):
        instance.stdin.close()
    with suppress(ProcessLookupError):
        os.killpg(instance.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        instance.wait(_STOP_SECONDS)
    _kill(instance)  # also what it has left behind
    instance.wait()


def _kill(instance: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(instance.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
