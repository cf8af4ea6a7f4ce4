"""Starts real frameworks with an application that fails, and fetches what they answer."""

import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.components import installed, need
from tests.reference_impl.databases import postgresql

__all__ = ["PROGRAMS", "answers"]

FOLDER = Path(__file__).parent
APPS = FOLDER / "apps"
# What a process of ours sees of this machine's environment: an environment dump goes into a page.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/srv", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Program:
    """A program of `apps/`: a folder by language, a file, its arguments, and what it needs beside the language."""

    language: str
    file: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


PROGRAMS: Mapping[str, Program] = {
    "flask": Program("python", "flask_pages.py"),
    "django_debug": Program("python", "django_pages.py", ("debug",)),
    "django_production": Program("python", "django_pages.py", ("production",)),
    "fastapi": Program("python", "fastapi_pages.py"),
    "others_python": Program("python", "others_pages.py"),
    "stripe": Program("python", "stripe_pages.py"),
    "express_development": Program("node", "express.mjs", ("development",)),
    "express_production": Program("node", "express.mjs", ("production",)),
    "others_node": Program("node", "others.mjs"),
    "apollo": Program("node", "apollo.mjs"),
    "databases": Program("python", "database_pages.py", (), ("mariadbd", "redis-server", "postgresql")),
    "php": Program("python", "outside_pages.py", ("php",), ("php",)),
    "nginx": Program("python", "outside_pages.py", ("nginx",), ("nginx",)),
    "sinatra_development": Program("ruby", "sinatra.rb", ("development",)),
    "sinatra_production": Program("ruby", "sinatra.rb", ("production",)),
    "go": Program("go", "main.go"),
}


def answers(name: str) -> tuple[str, dict[str, bytes]]:
    """Return the version of a program's frameworks and the answer to each of its pages, scrubbed."""
    with running(PROGRAMS[name]) as (told, places):
        version = " ".join(told["version"].split())
        return version, {page: scrub(fetched(**asked), places) for page, asked in told["pages"].items()}


@contextmanager
def running(program: Program) -> Iterator[tuple[dict, dict[str, str]]]:
    """Run a program in a scratch copy of its folder; yield what it tells, and which places are to be scrubbed."""
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        shutil.copytree(APPS, scratch, dirs_exist_ok=True)
        cwd = Path(scratch).resolve() / program.language
        places = {
            str(cwd): "/srv/billing",
            str(cwd.parent): "/srv",
            socket.gethostname(): "billing-1",
            platform.release(): "6.1.0",
        }
        command = [*COMMANDS[program.language](cwd, places), *program.arguments]
        command += [
            stack.enter_context(postgresql()).server if name == "postgresql" else found(name) for name in program.needs
        ]
        with subprocess.Popen(
            [part.replace("FILE", program.file) for part in command],
            cwd=cwd,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                yield json.loads(process.stdout.readline()), places
            finally:
                assert process.stdin is not None
                process.stdin.close()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise


def found(program: str) -> str:
    """Return the path of a component of the machine."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    need(program, path is not None)
    assert path is not None
    return path


def python() -> tuple[str, str]:
    """Return the interpreter of an environment with the locked frameworks, and that environment's folder."""
    uv = (sys.executable, "-m", "uv")
    place = installed(
        "error-pages-python",
        [FOLDER / "requirements.txt"],
        (*uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, "venv"),
        (*uv, "pip", "sync", "--quiet", "--require-hashes", "--python", "venv", "requirements.txt"),
    )
    need("the frameworks of Python", place is not None)
    assert place is not None
    return str(place / "venv" / "bin" / "python"), str(place / "venv")


def _python(_cwd: Path, places: dict[str, str]) -> Sequence[str]:
    program, environment = python()
    places |= {
        environment: "/srv/venv",
        sys.base_prefix: "/usr/local",
        str(Path(sys.base_prefix).resolve()): "/usr/local",
    }
    return program, "FILE"


def _node(cwd: Path, places: dict[str, str]) -> Sequence[str]:
    found("npm")
    sources = [APPS / "node" / name for name in ("package.json", "package-lock.json")]
    place = installed("error-pages-node", sources, ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
    need("the frameworks of Node", place is not None)
    assert place is not None
    (cwd / "node_modules").symlink_to(place / "node_modules")
    places[str(place.resolve())] = "/srv/billing"
    return found("node"), "FILE"


def _ruby(_cwd: Path, _places: dict[str, str]) -> Sequence[str]:
    ruby = found("ruby")
    need(
        "Sinatra", subprocess.run([ruby, "-rsinatra/base", "-e", ""], check=False, capture_output=True).returncode == 0
    )
    return ruby, "FILE"


def _go(cwd: Path, places: dict[str, str]) -> Sequence[str]:
    go = found("go")
    subprocess.run([go, "build", "-o", "billing", "."], cwd=cwd, check=True, capture_output=True, timeout=100)
    root = subprocess.run([go, "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip()
    places[root] = "/usr/local/go"
    return (str(cwd / "billing"),)


COMMANDS = {"python": _python, "node": _node, "ruby": _ruby, "go": _go}


def fetched(port: int, path: str, method: str, headers: dict[str, str], body: str) -> bytes:
    """Return an answer as a corpus holds it: status line, headers in lower case without Date, and body."""
    connection = HTTPConnection("127.0.0.1", int(port), timeout=20)
    try:
        connection.request(method, path, body.encode(), headers)
        answer = connection.getresponse()
        content = answer.read()
        kept = [(name.lower(), value) for name, value in answer.getheaders() if name.lower() not in _UNSTEADY]
    finally:
        connection.close()
    head = "".join(f"{name}: {value}\n" for name, value in kept)
    page = f"HTTP/1.1 {answer.status} {answer.reason}\n{head}\n".encode("latin-1") + content
    return re.sub(rb"127\.0\.0\.1:\d{4,5}\b", b"127.0.0.1:8000", page)


#: What differs from run to run, or from the page as it is kept.
_UNSTEADY = frozenset({"date", "content-length", "connection", "keep-alive", "transfer-encoding", "etag"})


def scrub(page: bytes, places: Mapping[str, str]) -> bytes:
    """Replace this machine's paths and name by neutral ones of the same shape, also where `/` is written otherwise."""
    for place, neutral in sorted(places.items(), key=lambda pair: -len(pair[0])):
        if "/" not in place:  # a name may be so short that a picture in base64 holds it
            page = re.sub(rb"(?<![\w/+])%s(?![\w/+])" % re.escape(place.encode()), neutral.encode(), page)
            continue
        for slash in ("/", "\\/", "%2F", "&#x2F;", "&#x2f;"):
            page = page.replace(place.replace("/", slash).encode(), neutral.replace("/", slash).encode())
    return page
