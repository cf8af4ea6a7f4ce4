"""stripe-mock as a backend: the program where it is installed, else a container."""

import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from payproof.adapters.upstream.backends import HttpBackend
from payproof.errors import ConfigurationError

__all__ = ["stripe_mock"]

_IMAGE = "stripe/stripe-mock"
_PORT = 12111
_SAID = "Listening for HTTP at address: "
_STOP_SECONDS = 5.0
# It would outlive a run that is killed: a shell ends it when its own input ends, as it then does.
_HELD = '"$@" & child=$!; exec >/dev/null; cat; kill "$child"; wait'


@contextmanager
def stripe_mock(*, program: str | None = None, image: str | None = None) -> Iterator[HttpBackend]:
    """Run stripe-mock on a free port of this machine for as long as the context lasts.

    ``program`` is its path, by default found on PATH and in Go's folder; ``image`` asks for a container of that image,
    which is taken by default where there is no program.

    Raises:
        ConfigurationError: there is neither, or it did not start.
    """
    found = None if image is not None else program or _find_program()
    with ExitStack() as stack:
        url = stack.enter_context(_process(found) if found else _container(image or _IMAGE))
        yield HttpBackend(url, name="stripe-mock")


def _find_program() -> str | None:
    folders = (os.environ.get("PATH", os.defpath), str(Path.home() / "go" / "bin"))
    return shutil.which("stripe-mock", path=os.pathsep.join(folders))


@contextmanager
def _process(program: str) -> Iterator[str]:
    if shutil.which(program) is None:
        raise ConfigurationError("stripe-mock cannot be started: No such file", file=program)
    # Port 0 for both, because it would also listen on its usual port for HTTPS, where another run may be.
    command = (program, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
    process = subprocess.Popen(  # noqa: S603 (a program of the user's)
        ("/bin/sh", "-c", _HELD, "sh", *command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # It tells of each call, and would wait for ever once nobody read that.
    reader = threading.Thread(target=deque, args=(process.stdout, 0), name="stripe-mock", daemon=True)
    with process, process.stdout:
        try:
            said = next((line for line in process.stdout if line.startswith(_SAID)), None)
            if said is None:
                raise ConfigurationError("stripe-mock ended before it listened", file=program)
            reader.start()
            yield "http://" + said.removeprefix(_SAID).strip()
        finally:
            process.stdin.close()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            if reader.ident is not None:
                reader.join(_STOP_SECONDS)


@contextmanager
def _container(image: str) -> Iterator[str]:
    hint = "go install github.com/stripe/stripe-mock@latest, or pip install testcontainers and start Docker"
    try:
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 (for whoever has no program)
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError("stripe-mock is not installed", hint=hint) from None
    try:
        container = DockerContainer(image).with_exposed_ports(_PORT)
        container.waiting_for(LogMessageWaitStrategy("Listening for HTTP")).start()
    except Exception as error:  # noqa: BLE001 (whatever Docker says, there is no stripe-mock)
        raise ConfigurationError(f"no container of {image}: {type(error).__name__}", hint=hint) from None
    try:  # not as a context manager, which would start another one
        yield f"http://127.0.0.1:{container.get_exposed_port(_PORT)}"
    finally:
        container.stop()
