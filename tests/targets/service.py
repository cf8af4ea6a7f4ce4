"""Runs services that share no line with Payproof in a temporary folder, as their owners would run them beside it."""

import contextlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from unittest.mock import patch

import trustme

from payproof.session import Session, event_factory, open_session
from tests.components import installed, need

__all__ = ["RECIPES", "Recipe", "Service", "serve", "session_on"]

_FOLDER = Path(__file__).parent
_START_SECONDS = 30
_STOP_SECONDS = 5
_BUILD_SECONDS = 600  # SQLite in Go takes minutes to compile, once for each machine
_INSTALL_SECONDS = 400
_UV = shutil.which("uv", path=sysconfig.get_path("scripts")) or "uv"


@dataclass(frozen=True)
class Recipe:
    """How a service is run.

    Its folder of the same name holds ``payproof.toml`` and ``expected.toml``. ``prepare`` makes a copy of it ready, and
    returns the command that runs it there. ``settings`` come beside those that every service gets. ``planted`` is the
    file of its planted faults, and what the name of each stands in.
    """

    name: str
    prepare: Callable[[Path], Sequence[str]]
    planted: tuple[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its source is."""
        return _FOLDER / self.name

    def list_planted(self) -> list[str]:
        """Return the names of its planted faults."""
        file, pattern = self.planted
        return sorted(re.findall(pattern, (self.folder / file).read_text(), re.MULTILINE))


@dataclass(frozen=True)
class Service:
    """A running service: its target file, and the variables that the file names."""

    file: Path
    variables: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it, if it has not ended."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def serve(recipe: Recipe, folder: Path, defect: str = "") -> Iterator[Service]:
    """Run a service, with a planted defect or without; ``folder`` gets its database, its log and the target file.

    It prints a line of JSON with ``"service_started"`` and its ``port`` when it listens.
    """
    shutil.copytree(recipe.folder, folder, dirs_exist_ok=True)
    command = recipe.prepare(folder)
    stripe = _authorities(folder)
    variables = {
        **{f"BILLING_{whose}TOKEN": secrets.token_urlsafe(32) for whose in ("", "READER_", "OTHER_", "FORMER_")},
        "STRIPE_API_KEY": "sk_" + "test_" + secrets.token_hex(12),
        "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(16),
    }
    settings = {
        "PATH": os.environ["PATH"],
        "BILLING_DATABASE": "billing.db",
        "BILLING_DEFECT": defect,
        "BILLING_TLS_CERTIFICATE": "certificate.pem",
        "BILLING_TLS_KEY": "key.pem",
        "STRIPE_API_BASE": stripe,
        **recipe.settings,
    }
    log = folder / "billing.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=settings | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    service = Service(folder / "target.toml", variables, process)
    try:
        places = {
            "PORT": str(_listening_port(process, log)),
            "PUBLISHABLE_KEY": "pk_" + "test_" + secrets.token_hex(12),
            "STRIPE": stripe,
            "DEFECT": defect,
            "API_VERSION": event_factory(0).versions()[-1],
            "COMMAND": json.dumps([*command]),
        }
        service.file.write_text(Template((recipe.folder / "payproof.toml").read_text()).substitute(places))
        yield service
    finally:
        service.stop()


@contextlib.contextmanager
def session_on(recipe: Recipe, folder: Path, defect: str = "") -> Iterator[Session]:
    """Run a service, and open a session on it."""
    with (
        serve(recipe, folder, defect) as service,
        patch.dict(os.environ, service.variables),
        open_session(service.file, seed=1) as session,
    ):
        yield session
        # The connections that it keeps to the upstream are to end before the upstream does.
        service.stop()


def _prepare_express(folder: Path) -> Sequence[str]:
    _found("npm")
    sources = [_FOLDER / "express" / name for name in ("package.json", "package-lock.json")]
    place = installed("express-target", sources, ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
    need("Express and stripe-node", place is not None)
    assert place is not None
    (folder / "node_modules").symlink_to(place / "node_modules")
    return [_found("node"), "main.mjs"]


def _prepare_go(folder: Path) -> Sequence[str]:
    go = _found("go")
    modules = [_FOLDER / "go" / name for name in ("go.mod", "go.sum")]
    fetched = installed("go-target-modules", modules, (go, "mod", "download"), seconds=_BUILD_SECONDS)
    need("the Go modules of the Go service", fetched is not None)
    sources = [*modules, *sorted((_FOLDER / "go").glob("*.go"))]
    place = installed("go-target", sources, (go, "build", "-trimpath", "-o", "billing", "."), seconds=_BUILD_SECONDS)
    assert place is not None, "the Go service does not compile"
    return [str(place / "billing")]


def _prepare_django(folder: Path) -> Sequence[str]:
    place = installed(
        "django-target",
        [_FOLDER / "django" / "requirements.lock"],
        (_UV, "venv", "--quiet", "--python", sys.executable, "--relocatable", "venv"),
        (_UV, "pip", "sync", "--quiet", "--python", "venv", "--require-hashes", "requirements.lock"),
        seconds=_INSTALL_SECONDS,
    )
    need("Django and dj-stripe", place is not None)
    programs = f"{place}/venv/bin"
    # Its owners migrate when they deploy; the settings ask for what only the service needs.
    names = ("BILLING_TOKEN", "BILLING_READER_TOKEN", "BILLING_OTHER_TOKEN", "STRIPE_API_KEY", "STRIPE_API_BASE")
    settings = dict.fromkeys(names, "none") | {
        "BILLING_DATABASE": "billing.db",
        "STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_hex(16),
    }
    migrate = [f"{programs}/python", "manage.py", "migrate", "--run-syncdb", "--verbosity", "0", "--skip-checks"]
    subprocess.run(migrate, cwd=folder, env=settings, check=True)
    return [f"{programs}/gunicorn"]


def _found(program: str) -> str:
    path = shutil.which(program)
    need(program, path is not None)
    assert path is not None
    return path


def _authorities(folder: Path) -> str:
    """Make the service's certificate and the upstream's authority; return where the upstream is to listen."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(folder / "certificate.pem", append=True)
    # The upstream takes an authority that it finds, and Node reads what it trusts only when it starts.
    stripe = folder / "stripe"
    stripe.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(stripe / "ca.pem")
    authority.private_key_pem.write_to_path(stripe / "ca-key.pem")
    return f"https://127.0.0.1:{_free_port()}"


def _free_port() -> int:
    """Return a port below those that systems give out by themselves, lest one be given out until it is listened at."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _listening_port(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"service_started"' in line and line.endswith("}"):
                return int(json.loads(line)["port"])
        time.sleep(0.02)
    raise AssertionError(f"the service did not start: {log.read_text()}")


RECIPES = {
    one.name: one
    for one in [
        Recipe(
            "express",
            _prepare_express,
            ("defects.mjs", r"^export const (\w+)"),
            # For Stripe's SDK, which knows no setting of its own for it.
            {"NODE_EXTRA_CA_CERTS": "stripe/ca.pem"},
        ),
        Recipe("go", _prepare_go, ("defects.go", r'^\t"(\w+)": '), {"SSL_CERT_FILE": "stripe/ca.pem"}),
        Recipe("django", _prepare_django, ("defects.py", r"^def ([a-z]\w+)"), {"STRIPE_CA_BUNDLE": "stripe/ca.pem"}),
    ]
}
