"""Runs integrations that others wrote, unchanged; by hand: `python -m tests.neighbours.running NAME`.

What lies in a neighbour's folder says how it is made and started:

- ``requirements.lock``: a Python environment with the package, and ``main.py``;
- ``package-lock.json``: ``npm ci``, and ``main.mjs``;
- ``go.sum``: ``go build``.

The program gets ``PORT``, the secrets, and ``STRIPE_API_BASE``; it makes its database with one known customer in the
folder that it runs in, and serves until it is told to end. What it prints is its log. Where its target file names a
command after which it runs again, a supervisor starts it whenever it ends.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tests.components import installed, need
from tests.postgresql import wheel
from tests.serving import await_answer, find_port

__all__ = ["NAMES", "NEIGHBOURS", "Neighbour", "running"]

NEIGHBOURS = Path(__file__).parent
NAMES = tuple(sorted(file.parent.name for file in NEIGHBOURS.glob("*/truth.toml")))
LOG = "app.log"
#: The variable that a target file names whose target keeps its state in PostgreSQL.
_DATABASE = "DATABASE_URL"
#: Starts a program again whenever it ends, as systemd does; ``app.pid`` says which process it is.
_SUPERVISOR = 'while :; do "$0" "$@" & echo $! > app.pid; wait $!; done'
_BUILD_SECONDS = 400
_STOP_SECONDS = 5
_UV = shutil.which("uv", path=sysconfig.get_path("scripts")) or "uv"


@dataclass(frozen=True)
class Neighbour:
    """A running integration: the folder that it runs in, its target file, and the variables that the file names."""

    folder: Path
    url: str
    variables: Mapping[str, str]

    @property
    def file(self) -> Path:
        """The target file, as its owner would have it after ``payproof init`` and a few edited lines."""
        return self.folder / "payproof.toml"


@contextlib.contextmanager
def running(name: str, folder: Path) -> Iterator[Neighbour]:
    """Run a neighbour; ``folder`` must be empty, and gets what it keeps."""
    command, settings = _program(name)
    for file in (NEIGHBOURS / name).iterdir():
        copy = shutil.copytree if file.is_dir() else shutil.copy
        copy(file, folder / file.name)
    if modules := settings.pop("MODULES", ""):
        (folder / "node_modules").symlink_to(modules)
    port, stripe = find_port(), find_port()
    variables = {
        "STRIPE_API_KEY": "sk_" + "test_" + secrets.token_hex(12),
        "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(16),
    }
    own = {
        "APP_SECRET": secrets.token_urlsafe(40),
        "HOME": str(folder),
        "NODE_ENV": "production",
        "NO_COLOR": "1",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "STRIPE_API_BASE": f"http://127.0.0.1:{stripe}",
    }
    places = {"URL": f"http://127.0.0.1:{port}", "STRIPE": own["STRIPE_API_BASE"]}
    target = folder / "payproof.toml"
    target.write_text(Template(target.read_text()).substitute(places))
    with contextlib.ExitStack() as stack:
        if _DATABASE in target.read_text():
            variables[_DATABASE] = stack.enter_context(wheel())
        if "restart = " in target.read_text():
            command = ["sh", "-c", _SUPERVISOR, *command]
        log = stack.enter_context((folder / LOG).open("ab"))
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], **own, **settings, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stack.callback(_stop, process)
        await_answer(process, port, folder / LOG)
        yield Neighbour(folder, places["URL"], variables)


def _program(name: str) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts a neighbour, and settings of its environment; what it needs is installed."""
    home = NEIGHBOURS / name
    if (home / "requirements.lock").exists():
        place = installed(
            f"neighbour-{name}",
            [home / "requirements.lock"],
            (_UV, "venv", "--quiet", "--python", sys.executable, "--relocatable", "venv"),
            (_UV, "pip", "sync", "--quiet", "--python", "venv", "--require-hashes", "requirements.lock"),
            seconds=_BUILD_SECONDS,
        )
        need(name, place is not None)
        programs = f"{place}/venv/bin"
        return [f"{programs}/python", "main.py"], {"PATH": f"{programs}:{os.environ['PATH']}"}
    if (home / "package-lock.json").exists():
        sources = [home / "package.json", home / "package-lock.json"]
        command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        place = installed(f"neighbour-{name}", sources, command, seconds=_BUILD_SECONDS)
        need(name, place is not None)
        return ["node", "main.mjs"], {"MODULES": f"{place}/node_modules"}
    sources = [home / "go.mod", home / "go.sum", *sorted(home.glob("*.go"))]
    place = installed(f"neighbour-{name}", sources, ("go", "build", "-o", "service", "."), seconds=_BUILD_SECONDS)
    need(name, place is not None)
    return [f"{place}/service"], {}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # and its workers, which it has a session for
    process.wait()


def _main(name: str) -> None:
    """Run a neighbour until the standard input ends, and say where."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as place, running(name, Path(place)) as neighbour:
        lines = [f"cd {neighbour.folder}", *(f"export {key}={value}" for key, value in neighbour.variables.items())]
        sys.stdout.write("\n".join([*lines, f"# {neighbour.url}", ""]))
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
