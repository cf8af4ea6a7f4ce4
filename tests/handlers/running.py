"""Runs the small handlers, clean or with seeded faults; by hand: `python -m tests.handlers.running NAME [FAULTS]`."""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.components import installed, need
from tests.error_pages._programs import python
from tests.serving import await_answer, find_port

__all__ = ["FAULTS", "HANDLERS", "NAMES", "TRUTHS", "Handler", "handling", "problems_of", "shared_files"]

HANDLERS = Path(__file__).parent
TRUTHS = tomllib.loads((HANDLERS / "truths.toml").read_text())
NAMES = tuple(TRUTHS["names"])
FAULTS = tuple(fault["name"] for fault in TRUTHS["fault"])
#: The file with what several handlers do with an event, and where each of them has it.
_SHARED = {"flask": "shop.py", "fastapi": "shop.py", "express": "shop.js", "nextjs": "lib/shop.js"}
_BUILD_SECONDS = 400
_STOP_SECONDS = 5


@dataclass(frozen=True)
class Handler:
    """A running handler: its folder, where it is, and the variable that holds its secret."""

    folder: Path
    url: str
    variables: Mapping[str, str]


def problems_of(name: str, faults: Sequence[str]) -> list[tuple[str, str]]:
    """Return the problems that seeded faults of a handler must be told as: rules, and how their places begin."""
    names = {key.upper(): value for key, value in TRUTHS["names"][name].items() if key != "own"}
    seeded = [one for fault in TRUTHS["fault"] if fault["name"] in faults for one in fault["problems"]]
    return [(one["rule"], re.sub("|".join(names), lambda key: names[key[0]], one["where"])) for one in seeded]


def shared_files(name: str) -> list[tuple[str, Path]]:
    """Return what a handler gets beside the files of its own: where it has it, and what."""
    place = _SHARED.get(name)
    return [] if place is None else [(place, HANDLERS / Path(place).name)]


@contextlib.contextmanager
def handling(name: str, folder: Path, faults: Sequence[str] = ()) -> Iterator[Handler]:
    """Run a handler in a folder, which gets its files, its database and its log."""
    shutil.copytree(HANDLERS / name, folder, dirs_exist_ok=True)
    for place, shared in shared_files(name):
        (folder / place).parent.mkdir(exist_ok=True)
        shutil.copy(shared, folder / place)
    port = find_port()
    variables = {"STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(16)}
    settings = {
        "FAULTS": ",".join(faults),
        "HOME": str(folder),
        "NEXT_TELEMETRY_DISABLED": "1",
        "NODE_ENV": "production",
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        **variables,
    }
    *before, command = _commands(name, folder, str(port))
    with (folder / "start.txt").open("wb") as told:
        given = {"cwd": folder, "env": settings, "stdin": subprocess.DEVNULL, "stdout": told, "stderr": told}
        for one in before:
            subprocess.run(one, check=True, timeout=_BUILD_SECONDS, **given)
        process = subprocess.Popen(command, start_new_session=True, **given)
    try:
        await_answer(process, port, folder / "start.txt")
        yield Handler(folder, f"http://127.0.0.1:{port}", variables)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _commands(name: str, folder: Path, port: str) -> list[list[str]]:
    """Return what makes a handler ready, and last what runs it; the packages that it needs are installed."""
    if (folder / "package-lock.json").exists():
        sources = [folder / "package.json", folder / "package-lock.json"]
        command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        place = installed(f"handler-{name}", sources, command, seconds=_BUILD_SECONDS)
        need(name, place is not None)
        modules = folder / "node_modules"
        if name == "express":
            modules.symlink_to(f"{place}/node_modules")
            return [["node", "server.js"]]
        # Turbopack takes no modules from outside of the project.
        shutil.copytree(f"{place}/node_modules", modules, symlinks=True, copy_function=os.link)
        return [["npx", "next", "build"], ["npx", "next", "start", "--hostname", "127.0.0.1", "--port", port]]
    program = python()[0]
    at = ["--host", "127.0.0.1", "--port", port]
    commands = {
        "flask": [["flask", "--app", "app", "run", *at]],
        "django": [["django", "migrate", "--run-syncdb"], ["uvicorn", "shop.asgi:application", *at]],
        "fastapi": [["uvicorn", "app:app", *at]],
    }
    ready = [[program, "-m", *command] for command in commands[name]]
    return [[program, "manage.py", *one[3:]] if one[2] == "django" else one for one in ready]


def _main(name: str, faults: str = "") -> None:
    """Run a handler until the standard input ends, and say where."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as place, handling(name, Path(place), [faults]) as handler:
        lines = [f"cd {handler.folder}", *(f"export {key}={value}" for key, value in handler.variables.items())]
        sys.stdout.write("\n".join([*lines, f"# {handler.url}", ""]))
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
