"""A Python that starts at once: one process has imported what is slow, and forks for each command that it is given.

`interpreter()` returns a program that takes what Python takes (``-m MODULE ...``, ``-c CODE ...``), with the standard
streams, environment, folder and signals of whoever starts it. The imports of a billing service take a second of
computing; a thousand processes would spend a quarter of an hour on them.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["interpreter"]

#: Slow to import, and none of them binds a name that a planted defect replaces later on.
_MODULES = (
    *("alembic.command", "cryptography.x509", "prometheus_client", "stripe", "uvicorn"),
    *("payproof_reference.database.schema", "tests.defects._planting"),
)
_CLIENT = Path(__file__).with_name("forking_client.py")
_START_SECONDS = 60
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@cache
def interpreter() -> str:
    """Return the path of the program; the process behind it ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="payproof-forking-"))
    place = folder / "socket"
    # What runs here belongs to planted defects, whose lines count for nobody's coverage.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    server = subprocess.Popen([sys.executable, "-m", "tests.forking", place], stdin=subprocess.PIPE, env=unmeasured)

    def end() -> None:
        server.stdin.close()
        server.wait()

    atexit.register(end)
    until = time.monotonic() + _START_SECONDS
    while not place.exists():
        assert server.poll() is None, "the process that forks has ended"
        assert time.monotonic() < until, "the process that forks does not listen"
        time.sleep(0.01)
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-IS", str(_CLIENT), str(place)])} "$@"\n')
    program.chmod(0o700)
    return str(program)


class _Server:
    """Forks for each command, tells whoever gave it how it ended, and kills it when they are gone."""

    def __init__(self, place: Path) -> None:
        self._folder = place.parent
        self._listener = socket.socket(socket.AF_UNIX)
        scratch = place.with_suffix(".new")
        self._listener.bind(str(scratch))
        self._listener.listen(64)
        scratch.rename(place)  # a socket that is there can be spoken to
        self._waking, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._commands: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Go on until standard input ends."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who gave the commands
        signal.set_wakeup_fd(self._woken.fileno())
        for one in (sys.stdin, self._listener, self._waking):
            self._selector.register(one, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    shutil.rmtree(self._folder, ignore_errors=True)
                    return
                if key.fileobj is self._listener:
                    self._begin(self._listener.accept()[0])
                elif key.fileobj is self._waking:
                    self._waking.recv(4096)
                    self._reap()
                elif key.data in self._commands:
                    self._hear(key.data)

    def _begin(self, connection: socket.socket) -> None:
        message, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
        while not message.endswith(b"\n"):
            message += connection.recv(1 << 16)
        pid = os.fork()
        if not pid:
            self._selector.close()
            for one in (self._listener, self._waking, self._woken, connection, *self._commands.values()):
                one.close()
            _become(streams, **json.loads(message))
        for stream in streams:
            os.close(stream)
        self._commands[pid] = connection
        self._selector.register(connection, selectors.EVENT_READ, pid)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] in self._commands:
                    with suppress(OSError):
                        self._commands[ended[0]].sendall(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
                    self._forget(ended[0])

    def _hear(self, pid: int) -> None:
        """Pass signals on to a command; without whoever gave it, it is to end."""
        try:
            numbers = self._commands[pid].recv(64)
        except OSError:
            numbers = b""
        for number in numbers or [signal.SIGKILL]:
            os.kill(pid, number)
        if not numbers:
            self._forget(pid)

    def _forget(self, pid: int) -> None:
        connection = self._commands.pop(pid)
        self._selector.unregister(connection)
        connection.close()


def _become(streams: list[int], arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Be the process that was asked for, in a fork of one that has imported much, and end as it would."""
    status: object = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *_FORWARDED):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        tempfile.tempdir = None  # of this environment
        option, what, *rest = arguments
        sys.argv = [option, *rest]
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            assert option == "-c", option
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
        status = 0
    except SystemExit as ended:
        status = ended.code
    except BaseException:  # noqa: BLE001 (the end of the process, as in any Python)
        traceback.print_exc()
    finally:
        if isinstance(status, str):
            sys.stderr.write(f"{status}\n")
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    for module in _MODULES:
        importlib.import_module(module)
    gc.freeze()
    _Server(Path(sys.argv[1])).serve()
